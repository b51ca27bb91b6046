"""The composition root: the only place that names concrete classes, finds our own files, and reads the clock."""

from __future__ import annotations

import datetime as dt
import fcntl
import functools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from agent.errors import ConfigurationError, SourceUnavailable, UsageError
from agent.rights import open_or_make
from agent.settings import Settings, ShareSettings, load_settings
from connectors.base import show_name

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from agent.catalogue.store import Catalogue
    from agent.detection.detector import LayeredDetector
    from agent.execution.pool import ProcessPool
    from agent.extraction.process import ProcessExtractor
    from agent.model.analysis_version import AnalysisVersion
    from agent.model.confinement import Confinement
    from agent.model.key import KeyForm
    from agent.model.schedule import RetentionSchedule
    from agent.model.witness import Testimony
    from agent.usecases.analyse import Analyst
    from agent.usecases.evaluate import Terms
    from agent.usecases.trail import Trail
    from connectors.base import Connector, Scope
    from connectors.pace import Pace
    from connectors.watching import Watch

SYSTEM_CONFIGURATION = Path("/etc/retentiond/retentiond.yaml")
SYSTEM_STATE = Path("/var/lib/retentiond")
DISPOSE_USER = "retentiond-dispose"
_NOBODY_LOGGED_IN = 2**32 - 1


def now() -> dt.datetime:
    """This moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


def today(schedule: RetentionSchedule) -> dt.date:
    """The calendar day it is where the schedule applies."""
    return dt.datetime.now(schedule.time_zone).date()


def who() -> str:
    """Who is at work: the login name by which acts are recorded.

    Two people must be two, and one person one. So it is what the system says, never the environment: the user who
    logged in, whom `sudo` leaves as he is, or else the one that we run as.
    """
    import pwd

    number = logged_in()
    number = os.getuid() if number is None else number
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # an account without an entry in the password file
        return f"uid {number}"


def logged_in(source: Path = Path("/proc/self/loginuid")) -> int | None:
    """The number of the user who logged in, as the kernel keeps it; none for what was not begun by a login."""
    try:
        number = int(source.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return None if number == _NOBODY_LOGGED_IN else number


def shipped(name: str) -> Path:
    """A file that comes with us, by its path in the repository (`config/…`, `systemd/…`)."""
    package = Path(str(resources.files("agent")))
    installed = package / "shipped" / name
    return installed if installed.exists() else package.parent / name


def user_directory(variable: str, fallback: str) -> Path:
    """A base directory of the user by the XDG specification, with our own folder in it."""
    base = os.environ.get(variable, "")
    return (Path(base) if base.startswith("/") else Path.home() / fallback) / "retentiond"


def configuration_file() -> Path:
    """Where the settings are looked for when no file is named."""
    return (
        SYSTEM_CONFIGURATION if os.geteuid() == 0 else user_directory("XDG_CONFIG_HOME", ".config") / "retentiond.yaml"
    )


def settings_from(config: Path | None) -> Settings:
    """The settings in `config`, else in the usual place, else the defaults."""
    if config is None:
        usual = configuration_file()
        return load_settings(usual) if usual.exists() else Settings()
    return load_settings(config)


def state_directory(state: Path | None, settings: Settings, *, create: bool) -> Path:
    """The directory that holds what we know, made for its owner alone when `create` is set."""
    if state is None:
        usual = SYSTEM_STATE if os.geteuid() == 0 else user_directory("XDG_STATE_HOME", ".local/state")
        state = Path(settings.state) if settings.state else usual
    state = state.absolute()
    if create:
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{state}: cannot make the state directory ({error.strerror}). Name another with --state."
            ) from error
    return state


def open_catalogue(state: Path, *, create: bool = False) -> Catalogue:
    """The catalogue kept in `state`."""
    from agent.catalogue.store import Catalogue

    def witness(connection: Connection, facts: Sequence[Testimony]) -> None:
        trail(state)(connection, facts)  # made when something is recorded: most commands record nothing

    return Catalogue.open(state / "catalogue.sqlite", create=create, witness=witness)


def trail(state: Path) -> Trail:
    """What writes the audit log of the catalogue in `state`, by keys of its master key."""
    from agent.keys import derive, master_key
    from agent.usecases.trail import Trail

    master = master_key(state / "master.key")
    origin = f"retentiond/{derive(master, 'audit/origin')[:8].hex()}"
    return Trail.derived(functools.partial(derive, master), origin)


@contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Holds a lock file for one process at a time. Raises `UsageError`: `otherwise` if another holds it, or what keeps
    us from making it."""
    try:
        descriptor = open_or_make(lock, os.O_WRONLY)
    except OSError as error:
        raise UsageError(
            f"{lock}: cannot be opened for writing ({error.strerror}). Check who owns it and its directory."
        ) from error
    with open(descriptor, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(otherwise) from None
        yield


def sole_writer(state: Path) -> AbstractContextManager[None]:
    """Holds the state directory for one scan at a time. Raises `UsageError` if another holds it."""
    return alone(
        state / "scan.lock",
        f"{state}: another scan is using this state directory. Wait for it, or name another with --state.",
    )


def schedule_file(named: str) -> Path:
    """The schedule's file: a path as it is, else the shipped schedule of that name. Raises `ConfigurationError`."""
    if "/" in named or named.endswith((".yaml", ".yml")):
        return Path(named)
    path = shipped(f"config/policies/{named}.yaml")
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise ConfigurationError(f"There is no shipped schedule {named!r}. Known are: {known}; or name a file's path.")
    return path


def schedule_from(named: str) -> RetentionSchedule:
    """The retention schedule of that name or path. Raises `ConfigurationError`."""
    from agent.retention.entries import MAX_CHARACTERS
    from agent.retention.loader import load_schedule

    path = schedule_file(named)
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(MAX_CHARACTERS + 1)  # the loader says what is wrong with more
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot read the schedule ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: the schedule is not UTF-8 text (byte {error.start}).") from error
    return load_schedule(text, str(path))


def searching(settings: Settings, schedule: RetentionSchedule) -> Settings:
    """The settings, with the organisation's own numbers that the schedule describes among what is searched for."""
    from agent.settings import ReferenceSettings

    own = [
        ReferenceSettings.model_validate({"type": one.entity_type, "pattern": one.pattern, "context": one.context})
        for one in schedule.references
    ]
    detection = settings.detection
    added = detection.model_copy(update={"references": (*detection.references, *own)})
    return settings.model_copy(update={"detection": added})


def pace_of(
    name: str, settings: Settings, *, back_off: bool = False, sleep: Callable[[float], None] = time.sleep
) -> Pace | None:
    """How fast the share of that name is read at most; none if as fast as it goes. With `back_off`, reading also slows
    down while storage answers slowly or others wait for it."""
    from connectors.easing import Tolerance
    from connectors.pace import Pace
    from connectors.pressure import Pressure, own_group

    share = next((one for one in settings.shares if one.name == name), None)
    files = (share and share.files_per_second) or settings.files_per_second
    mib = share.mib_per_second if share else None
    if files is None and mib is None and not back_off:
        return None
    return Pace(
        files_per_second=files,
        bytes_per_second=None if mib is None else mib * 1024 * 1024,
        tolerance=Tolerance() if back_off else None,
        pressure=Pressure(own=own_group()),
        sleep=sleep,
    )


def holders() -> frozenset[int]:
    """The users whose holds lie in shares: the service's own for that, where it is installed."""
    import pwd

    try:
        return frozenset({pwd.getpwnam(DISPOSE_USER).pw_uid})
    except KeyError:
        return frozenset()


def share_connector(path: Path, name: str, state: Path, settings: Settings, pace: Pace | None = None) -> Connector:
    """The connector to a folder. It can only read: changing calls are answered as a dry run. Without a `pace` it keeps
    the rates of the settings."""
    from connectors.registry import connector_class
    from connectors.wrappers import Paced, ReadOnly

    connector: Connector = connector_class("filesystem")(
        os.fsencode(path),
        name,
        excluded=(os.fsencode(state),),
        holders=holders(),
        may_change_access_times=settings.access_times == "may_change",
    )
    pace = pace or pace_of(name, settings)
    if pace is not None:
        connector = Paced(connector, pace)
    return ReadOnly(connector)


def watch_of(state: Path, settings: Settings) -> Callable[[ShareSettings], Watch | None]:
    """What opens a watch over a share; none if its settings say that it is not to be watched."""
    from connectors.registry import watch_class

    def open_watch(share: ShareSettings) -> Watch | None:
        if not share.watch:
            return None
        root = os.fsencode(os.path.abspath(share.path))
        most = settings.service.most_watches
        return watch_class("filesystem")(root, excluded=(os.fsencode(state),), most_watches=most)

    return open_watch


def anchor(state: Path, catalogue: Catalogue, file: str | None) -> None:
    """Signs the audit log as it stands, and appends the checkpoint to a file. Raises `AnchorFailed`."""
    from agent.audit.anchors import FileAnchor
    from agent.audit.log import AuditLog

    with catalogue.recording() as connection:
        note = AuditLog(connection).checkpoint(connection, trail(state).signing_key)
    if file is not None:
        FileAnchor(Path(file)).publish(note)


def scope_of(connector: Connector, path: Path) -> Scope:
    """The folder as a scope. Raises `SourceUnavailable`, which names it."""
    from connectors.errors import ScopeUnavailable

    try:
        return connector.scopes()[0]
    except ScopeUnavailable as error:
        raise SourceUnavailable(
            f"{show_name(os.fsencode(path))}: {error}. Check the path, and that the share is mounted."
        ) from error


def extractor_from(settings: Settings) -> ProcessExtractor:
    """The extractor, with the limits that are set. Raises `ConfigurationError` if something it needs is missing."""
    from agent.extraction.base import Limits
    from agent.extraction.formats.recognition import missing
    from agent.extraction.process import ProcessExtractor

    limits = settings.extraction
    if limits.ocr and (needed := missing(limits.ocr)):
        raise ConfigurationError(f"extraction.ocr: to read {limits.ocr!r} in pictures, {needed} must be installed.")
    return ProcessExtractor(
        Limits(
            wall_seconds=float(limits.wall_seconds),
            cpu_seconds=limits.wall_seconds,
            reading_seconds=limits.wall_seconds * 0.8,
            memory_bytes=limits.memory_mib * 1024 * 1024,
            output_characters=limits.output_characters,
            expanded_bytes=limits.expanded_mib * 1024 * 1024,
            ocr=limits.ocr or "",
            pictures=limits.ocr_pages,
        ),
        unconfined=limits.confinement == "if_possible",
    )


def confinement(settings: Settings) -> Confinement:
    """How far a process that reads documents is confined here: one is started, asked, and ended."""
    unconfined = settings.model_copy(
        update={"extraction": settings.extraction.model_copy(update={"confinement": "if_possible"})}
    )
    extractor = extractor_from(unconfined)
    try:
        return extractor.confinement()
    finally:
        extractor.close()


def lexicons() -> list[Path]:
    """The word lists that come with us."""
    return sorted(shipped("config/lexicons").glob("*.yaml"))


def detection_version(settings: Settings) -> str:
    """What the detector that these settings ask for is called. Loads nothing."""
    from agent.detection.version import detector_version

    detection = settings.detection
    own = detection.model_dump_json(include={"phone_regions", "references"})
    return f"{detector_version(detection.model, detection.minimum_score, lexicons())}; {own}"


def detector_from(settings: Settings) -> LayeredDetector:
    """The detector that the settings ask for. Loads the models: takes a few seconds."""
    from agent.detection.detector import LayeredDetector

    detection = settings.detection
    return LayeredDetector(
        detection_version(settings),
        detection.model,
        detection.minimum_score,
        detection.phone_regions,
        [(own.type, own.pattern, own.context) for own in detection.references],
    )


def key_form(state: Path, schedule: RetentionSchedule) -> KeyForm:
    """How keys are kept: those that the schedule says name persons as keyed hashes."""
    from agent.model.key import KeyForm

    return KeyForm(schedule.hidden_keys, finding_identity(state))


def terms_of(schedule: RetentionSchedule, settings: Settings, state: Path) -> Terms:
    """What items are decided by: the schedule, how keys are kept in `state`, and what sort of place each share is."""
    from agent.model.condition import StorageKind
    from agent.usecases.evaluate import Terms

    storage = {
        share.name.casefold(): frozenset(map(StorageKind, share.stored_in))
        for share in settings.shares
        if share.stored_in
    }
    return Terms(schedule, key_form(state, schedule), storage)


def finding_identity(state: Path) -> Callable[[str, str], bytes]:
    """What gives each value found the identity by which it is known: `of(entity_type, value)`."""
    from agent.detection.identity import FindingIdentity
    from agent.keys import derive, master_key

    return FindingIdentity(derive(master_key(state / "master.key"), "subject index")).of


def build_analyst(settings: Settings, identity_key: bytes) -> Analyst:
    """What a worker process does with each document. Loads Presidio: takes a second or two."""
    from agent.detection.identity import FindingIdentity
    from agent.usecases.analyse import Analyst

    return Analyst(extractor_from(settings), detector_from(settings), FindingIdentity(identity_key).of)


def worker_pool(settings: Settings, state: Path, jobs: int, on_wait: Callable[[], None] = lambda: None) -> ProcessPool:
    """The processes that analyse documents; they start with the first document. `on_wait` as `ProcessPool`."""
    from agent.execution.pool import ProcessPool
    from agent.keys import derive, master_key

    identity_key = derive(master_key(state / "master.key"), "subject index")
    build = functools.partial(build_analyst, settings, identity_key)
    return ProcessPool(build, jobs or os.cpu_count() or 1, on_wait=on_wait)


def analysis_version(settings: Settings) -> AnalysisVersion:
    """What decides what analysing a document gives: libraries, our own rules, and settings. Loads nothing."""
    from agent.extraction.versions import reader_versions, shared_version
    from agent.model.analysis_version import AnalysisVersion

    limits = settings.extraction.model_dump_json(exclude={"ocr", "confinement"})
    return AnalysisVersion(
        f"{shared_version()}; {limits}",
        reader_versions(settings.extraction.ocr or ""),
        detection_version(settings),
    )


def stream_report(stream: TextIO, format: str, catalogue: Catalogue, terms: Terms, as_of: dt.date) -> None:
    """Writes a report (`html`, `csv` or `json`) to an open stream."""
    from agent.reports.html import write_html
    from agent.reports.tabular import write_csv, write_json
    from agent.usecases.report import estate_report

    write = {"html": write_html, "csv": write_csv, "json": write_json}[format]
    write(estate_report(catalogue, terms, as_of, now()), stream)


def write_report(target: Path, format: str, catalogue: Catalogue, terms: Terms, as_of: dt.date) -> None:
    """Writes a report file, readable by its owner alone; an older one stays whole until the new one is."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream_report(stream, format, catalogue, terms, as_of)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{target}: the report cannot be written ({error.strerror}).") from error
