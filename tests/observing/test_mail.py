"""Letters as a real mail server of this machine receives them, and every way in which one is not taken."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.errors import ConfigurationError
from agent.observing.letter import Letter, Undelivered, Why
from agent.observing.mail import MailServer, credential_path, message_of, send
from tests.observing.conftest import free_port

AT = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
LETTER = Letter("digest", "ann@example.org", ("",), "retentiond: 3 items to review", "3 items – für Mr Müller.\n")
PLAIN = MailServer("127.0.0.1", "retentiond@example.org", security="none", timeout_seconds=5)


class Postmaster:
    """Keeps what it is sent; refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.greeted: list[str] = []
        self.encrypted: list[bool] = []
        self.logins: list[str] = []
        self.refuse = ""

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: Any) -> Any:
        session.host_name = name
        self.greeted.append(name)
        return answers

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse == "recipient":
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse == "content":
            return "554 looks like spam"
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.encrypted.append(session.ssl is not None)
        return "250 taken"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        self.logins.append(given.login.decode())
        return AuthResult(success=given.password == b"correct horse", handled=False)


@contextmanager
def serving(postmaster: Postmaster, **options: Any) -> Iterator[int]:
    controller = Controller(
        postmaster,
        hostname="127.0.0.1",
        port=free_port(),
        server_hostname="mail.test",
        authenticator=postmaster.authenticate,
        **options,
    )
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def postmaster() -> Postmaster:
    return Postmaster()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate that nobody has vouched for, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(cert), str(secret)


@pytest.fixture
def server_side(certificate: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def password(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str, mode: int = 0o600) -> str:
        path = tmp_path / "password"
        path.write_text(text + "\n")
        path.chmod(mode)
        return str(path)

    return write


def why(letter: Letter, server: MailServer) -> Why:
    with pytest.raises(Undelivered) as told:
        send(letter, server, AT)
    return told.value.why


def test_a_letter_arrives_marked_as_made_by_a_machine(postmaster: Postmaster) -> None:
    with serving(postmaster) as port:
        send(LETTER, replace(PLAIN, port=port), AT)
    (mail,) = postmaster.mails
    assert (mail["From"], mail["To"]) == ("retentiond <retentiond@example.org>", "ann@example.org")
    assert (mail["Subject"], mail["Auto-Submitted"]) == (LETTER.title, "auto-generated")
    assert mail["Date"].datetime == AT
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail.get_content().replace("\r\n", "\n") == LETTER.text
    assert postmaster.greeted[-1] == "[127.0.0.1]"
    assert os.uname().nodename not in mail.as_string()


def test_two_letters_have_ids_of_their_own() -> None:
    assert len({message_of(LETTER, PLAIN, AT)["Message-ID"] for _ in range(20)}) == 20


def test_starttls_encrypts_before_the_login_and_the_letter(
    postmaster: Postmaster,
    server_side: ssl.SSLContext,
    certificate: tuple[str, str],
    password: Callable[[str], str],
) -> None:
    server = replace(
        PLAIN, security="starttls", ca_file=certificate[0], user="agent", password_file=password("correct horse")
    )
    with serving(postmaster, tls_context=server_side, require_starttls=True) as port:
        send(LETTER, replace(server, port=port), AT)
    assert (postmaster.encrypted, postmaster.logins) == ([True], ["agent"])


def test_tls_from_the_beginning_works_too(
    postmaster: Postmaster, server_side: ssl.SSLContext, certificate: tuple[str, str]
) -> None:
    with serving(postmaster, ssl_context=server_side) as port:
        send(LETTER, replace(PLAIN, security="tls", ca_file=certificate[0], port=port), AT)
    assert len(postmaster.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    postmaster: Postmaster, server_side: ssl.SSLContext, password: Callable[[str], str], security: Any
) -> None:
    options = {"tls_context": server_side} if security == "starttls" else {"ssl_context": server_side}
    server = replace(PLAIN, security=security, user="agent", password_file=password("correct horse"))
    with serving(postmaster, **options) as port:
        assert why(LETTER, replace(server, port=port)) is Why.NOT_ENCRYPTED
    assert (postmaster.mails, postmaster.logins) == ([], [])


def test_a_server_that_does_not_encrypt_gets_neither_password_nor_letter(
    postmaster: Postmaster, password: Callable[[str], str]
) -> None:
    server = replace(PLAIN, security="starttls", user="agent", password_file=password("correct horse"))
    with serving(postmaster, auth_require_tls=False) as port:
        assert why(LETTER, replace(server, port=port)) is Why.NOT_ENCRYPTED
    assert (postmaster.mails, postmaster.logins) == ([], [])


def test_a_wrong_password_is_told_without_the_password(
    postmaster: Postmaster,
    server_side: ssl.SSLContext,
    certificate: tuple[str, str],
    password: Callable[[str], str],
) -> None:
    server = replace(
        PLAIN, security="starttls", ca_file=certificate[0], user="agent", password_file=password("wrong pony")
    )
    started = serving(postmaster, tls_context=server_side, require_starttls=True)
    with started as port, pytest.raises(Undelivered) as told:
        send(LETTER, replace(server, port=port), AT)
    assert (told.value.why, "pony" in repr(told.value), "password" in repr(server)) == (
        Why.NOT_LOGGED_IN,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("refuse", "expected", "others_too"),
    [("recipient", Why.REFUSED_RECIPIENT, False), ("content", Why.REFUSED, False)],
)
def test_what_the_server_refuses_is_told_and_says_nothing_of_others(
    postmaster: Postmaster, refuse: str, expected: Why, others_too: bool
) -> None:
    postmaster.refuse = refuse
    with serving(postmaster) as port:
        told = why(LETTER, replace(PLAIN, port=port))
    assert (told, Undelivered(told).others_too, postmaster.mails) == (expected, others_too, [])


def test_a_server_that_is_away_is_told() -> None:
    assert why(LETTER, replace(PLAIN, port=free_port())) is Why.SERVER_AWAY
    assert Undelivered(Why.SERVER_AWAY).others_too


def test_a_server_that_says_nothing_is_given_up(postmaster: Postmaster) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        server = replace(PLAIN, port=silent.getsockname()[1], timeout_seconds=0.3)
        assert why(LETTER, server) is Why.SERVER_AWAY


@pytest.mark.parametrize(("text", "mode"), [("", 0o600), ("correct horse", 0o644), ("correct horse", 0o640)])
def test_a_password_that_is_empty_or_that_others_may_read_is_none(
    password: Callable[..., str], text: str, mode: int
) -> None:
    server = replace(PLAIN, port=free_port(), user="agent", password_file=password(text, mode))
    assert why(LETTER, server) is Why.NO_PASSWORD


def test_a_password_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    server = replace(PLAIN, port=free_port(), user="agent", password_file=str(tmp_path / "none"))
    assert why(LETTER, server) is Why.NO_PASSWORD


@pytest.mark.parametrize(
    "recipient", ["ann@example.org\nBcc: eve@example.org", "ann", "a@b, c@d", "", "a b@example.org"]
)
def test_an_address_that_is_none_gets_nothing(recipient: str) -> None:
    assert why(replace(LETTER, recipient=recipient), PLAIN) is Why.REFUSED_RECIPIENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": "mail.example.org", "security": "none"},
        {"host": "192.0.2.7", "security": "none"},
        {"user": "agent"},
        {"password_file": "/etc/retentiond/mail.password"},
        {"sender": "retentiond"},
        {"sender": "a@b\nBcc: c@d"},
    ],
)
def test_settings_that_cannot_work_or_would_tell_the_network_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"service\.mail"):
        replace(PLAIN, **wrong)


def test_a_password_is_a_file_or_a_credential_of_systemd() -> None:
    assert credential_path("/etc/retentiond/mail.password", "") == "/etc/retentiond/mail.password"
    assert credential_path("mail-password", "/run/credentials/r.service") == "/run/credentials/r.service/mail-password"
    for named, given in (("mail-password", ""), ("../shadow", "/run/credentials/r.service")):
        with pytest.raises(ConfigurationError, match="credential"):
            credential_path(named, given)
