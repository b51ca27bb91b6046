"""Sending letters by SMTP, to a server that is known by its certificate."""

from __future__ import annotations

import os
import smtplib
import ssl
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from ipaddress import ip_address
from typing import Literal

from agent.errors import ConfigurationError
from agent.observing.letter import Letter, Undelivered, Why

Security = Literal["starttls", "tls", "none"]
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LONGEST_PASSWORD = 1_000


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that takes our mail, and how to speak with it.

    `port` 0 is the usual one for the `security`. With a `user` the password is the first line of `password_file`.
    `ca_file` names authorities (PEM) to be trusted instead of the system's. Raises `ConfigurationError` for what could
    not work, or would send a password or a letter over the network in the clear.
    """

    host: str
    sender: str
    port: int = 0
    security: Security = "starttls"
    user: str = ""
    password_file: str = field(default="", repr=False)
    ca_file: str = ""
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.security == "none" and not _is_loopback(self.host):
            raise ConfigurationError(
                "service.mail.security: without encryption mail only goes to a server of this machine (localhost), "
                f"not to {self.host}. Use starttls or tls."
            )
        if bool(self.user) != bool(self.password_file):
            raise ConfigurationError(
                "service.mail: to log in, both user and password_file are needed. Leave both out for a server that "
                "takes mail without a login."
            )
        address_of(self.sender, "service.mail.from")


def address_of(text: str, where: str) -> Address:
    """The address, of one mailbox. Raises `ConfigurationError`, which names where it stands."""
    try:
        address = Address(addr_spec=text)
    except (MessageError, ValueError, IndexError):
        address = Address()
    if not (address.username and address.domain) or not text.isprintable():
        raise ConfigurationError(f"{where}: {text!r} is no e-mail address.")
    return address


def credential_path(named: str, credentials_directory: str) -> str:
    """The file of a password: an absolute path as it is, else a credential that systemd has given to this process."""
    if named.startswith("/") or not named:
        return named
    if not credentials_directory or "/" in named:
        raise ConfigurationError(
            f"service.mail.password_file: {named!r} is neither an absolute path nor a credential that systemd has "
            "given to this process (LoadCredential=, LoadCredentialEncrypted=)."
        )
    return os.path.join(credentials_directory, named)


def send(letter: Letter, server: MailServer, at: datetime) -> None:
    """Hands one letter to the server, which has taken it when this returns. Raises `Undelivered`.

    `at` (UTC) becomes the letter's date. The connection is one of its own and never waits longer than the server's
    `timeout_seconds` for one answer.
    """
    message = message_of(letter, server, at)
    with _connected(server) as client:
        try:
            client.send_message(message)
        except smtplib.SMTPRecipientsRefused:
            raise Undelivered(Why.REFUSED_RECIPIENT) from None
        except smtplib.SMTPServerDisconnected:
            raise Undelivered(Why.SERVER_AWAY) from None
        except smtplib.SMTPException:
            raise Undelivered(Why.REFUSED) from None
        except OSError:
            raise Undelivered(Why.SERVER_AWAY) from None


def message_of(letter: Letter, server: MailServer, at: datetime) -> EmailMessage:
    """The mail as it is sent: marked as made by a machine, so that no machine answers. Raises `Undelivered` for a
    recipient that is no address."""
    sender = Address(addr_spec=server.sender, display_name="retentiond")
    message = EmailMessage()
    message["From"] = sender
    try:
        message["To"] = address_of(letter.recipient, "recipient")
    except ConfigurationError:
        raise Undelivered(Why.REFUSED_RECIPIENT) from None
    message["Subject"] = letter.title
    message["Date"] = format_datetime(at)
    message["Message-ID"] = make_msgid(domain=sender.domain)  # not of this machine's name, which is nobody's business
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message["Precedence"] = "bulk"
    message.set_content(letter.text)
    return message


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    password = _password(server)
    try:
        context = ssl.create_default_context(cafile=server.ca_file or None)
    except OSError:
        raise Undelivered(Why.NOT_ENCRYPTED) from None
    with closing(_reached(server, context)) as client:
        if server.security == "starttls":
            _encrypt(client, context)
        if server.user:
            _log_in(client, server.user, password)
        yield client


def _reached(server: MailServer, context: ssl.SSLContext) -> smtplib.SMTP:
    port, name = server.port or _PORTS[server.security], "localhost"  # without a name it would ask the network for one
    try:
        if server.security == "tls":
            client: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, port, name, timeout=server.timeout_seconds, context=context
            )
        else:
            client = smtplib.SMTP(server.host, port, name, server.timeout_seconds)
    except ssl.SSLError:
        raise Undelivered(Why.NOT_ENCRYPTED) from None
    except OSError:
        raise Undelivered(Why.SERVER_AWAY) from None
    client.local_hostname = _literal(client)
    return client


def _encrypt(client: smtplib.SMTP, context: ssl.SSLContext) -> None:
    try:
        client.starttls(context=context)
    except (ssl.SSLError, smtplib.SMTPNotSupportedError, smtplib.SMTPResponseException):
        raise Undelivered(Why.NOT_ENCRYPTED) from None
    except OSError:
        raise Undelivered(Why.SERVER_AWAY) from None


def _log_in(client: smtplib.SMTP, user: str, password: str) -> None:
    try:
        client.login(user, password)
    except TimeoutError:
        raise Undelivered(Why.SERVER_AWAY) from None
    except (OSError, UnicodeEncodeError):  # some servers answer a wrong password by hanging up
        raise Undelivered(Why.NOT_LOGGED_IN) from None


def _literal(client: smtplib.SMTP) -> str:
    """This machine's address as it greets the server (RFC 5321, 4.1.3), which is true wherever it stands."""
    assert client.sock is not None  # noqa: S101 — it has just been connected
    address = str(client.sock.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _password(server: MailServer) -> str:
    if not server.password_file:
        return ""
    try:
        with open(server.password_file, encoding="utf-8") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077 and not _is_credential(server.password_file):
                raise Undelivered(Why.NO_PASSWORD)  # others may read it, so it is none
            password = file.readline(_LONGEST_PASSWORD).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Undelivered(Why.NO_PASSWORD) from None
    if not password:
        raise Undelivered(Why.NO_PASSWORD)
    return password


def _is_credential(path: str) -> bool:
    return path.startswith("/run/credentials/")  # systemd lets nobody else in there


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
