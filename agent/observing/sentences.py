"""Events as people read them in the journal, and the few that an administrator may wait for."""

from __future__ import annotations

from collections.abc import Mapping

from agent.observing.entries import Entry, Field

# By these an administrator finds, or is alarmed by, an event whatever its words are: journalctl MESSAGE_ID=...
# They never change.
MESSAGE_IDS: Mapping[str, str] = {
    "service.began": "87576b73a7874bfa8482b5f9ad6fb775",
    "service.stopping": "bf05d47d203f4cd796efe0749eaeba1f",
    "service.hangs": "23e8059d9afe4dbda1abed187c683993",
    "service.defect": "c534bb20efff446babbc1f686c4ebeb6",
    "settings.refused": "11135bdbbcbf4dbcba7b5e565c5f560e",
    "job.failed": "c4e3cb8ec5b147118ca4f5fca6792aad",
    "share.unavailable": "724e3f43abb94320abd6a0f09f9ed5d6",
    "share.available": "06bb177b213543be9dde32d497309f7b",
    "vault.damaged": "236efb2b97a24f4481d2001116b9e90f",
    "audit.not_anchored": "19e275ed161a46e1b5c99f01ce014e7e",
    "clock.doubtful": "586abf6a4c92402592c301147937e62b",
    "caps.reached": "3bf9467de96742d6815571a388aeb210",
    "mail.undelivered": "a84700759b1c48c6aefe21db61ef5473",
    "error.unforeseen": "5ce5d657655640cfbb90f2343f027349",
}

_SENTENCES: Mapping[str, str] = {
    "audit.not_anchored": "No checkpoint of the audit log could be published.",
    "caps.reached": "{items} files are beyond what may leave a share in one day: an administrator must agree.",
    "clock.doubtful": "The clock may be wrong, so that nothing is disposed of.",
    "error.unforeseen": "An unforeseen error: {error} at {where}.",
    "quarantine.foreign": "{items} items lie in the quarantine of a source, and no disposal knows them.",
    "bins.left": "{items} items that their sources had deleted are in no recycle bin any more.",
    "disposals.recovered": "What was left midway: {finished} finished, {put_back} put back, {unsettled} unsettled.",
    "item.changed_while_read": "A file of the share changed while it was being read.",
    "item.failed": "A file of the share could not be read: {reason}.",
    "item.not_opened": "A file of the share was not opened: {outcome}.",
    "items.decided": "{items} files were decided on.",
    "items.destroyed": "{items} files were destroyed, {kept} were left as they are.",
    "items.quarantined": "{items} files were taken into quarantine, {kept} were left as they are.",
    "job.began": "The job {title} began.",
    "job.ended": "The job {title} ended: {result}, after {seconds} seconds.",
    "job.failed": "The job {title} failed after {seconds} seconds. To see why:  retentiond jobs list",
    "job.lost": "The job {title} was under way when the process ended. It begins again.",
    "keys.erased": "The keys of {items} destroyed files are erased.",
    "library.message": "The library {logger} has something to say, at {where}.",
    "log.unnamed": "Something was logged without a name.",
    "look.ended": "{folders} folders of {share} in which something had changed were looked at.",
    "mail.sent": "A mail was sent: {kind}.",
    "metrics.offered": "Metrics are offered.",
    "mail.undelivered": "A mail could not be delivered: {reason}.",
    "place.unreachable": "{share} of the tenant {tenant} cannot be reached: {why}",
    "scan.began": "The scan of {share} began.",
    "scan.ended": "The scan of {share} ended: {seen} files seen.",
    "scan.stopped": "The scan of {share} was stopped after {seen} files. The next goes on from there.",
    "service.began": "The service began: {loops}.",
    "service.defect": "A defect of the service: {kind} at {where}.",
    "service.ended": "The service has ended.",
    "service.hangs": "A part of the service hangs: {loops}.",
    "service.quieted": "The service gives way to others: niceness {nice}, storage {storage}.",
    "service.ready": "The service is ready.",
    "service.stopping": "The service is stopping.",
    "service.trouble": "The service is in trouble, and tries again in {again_in_seconds} seconds: {what}",
    "settings.refused": "The new settings are refused, and the old ones stay in force: {what}",
    "settings.taken_up": "The new settings are in force.",
    "share.available": "The share {share} is looked after: {state}.",
    "share.everything_may_have_changed": "Everything in {share} may have changed. It will be gone through.",
    "share.unavailable": "The share {share} cannot be reached: {why}",
    "vault.damaged": "{faults} objects in the vault cannot be read. See:  retentiond vault verify",
    "vault.none": "There is no vault yet, so that nothing can be taken into quarantine.",
}


def told_as(entry: Entry) -> str:
    """The name under which the event is found in `MESSAGE_IDS` and has its sentence: its own, or that of what it means
    with these fields."""
    match entry.event:
        case "job.ended" if entry.fields.get("result") == "failed":
            return "job.failed"
        case "share.condition":
            return "share.unavailable" if entry.fields.get("state") == "unavailable" else "share.available"
    return entry.event


def sentence(entry: Entry) -> str:
    """What happened, for people: one line, made of nothing but the event and its fields."""
    words = {name: _said(value) for name, value in entry.fields.items()}
    known = _SENTENCES.get(told_as(entry))
    if known is not None:
        of = f" of {words['share']}" if "share" in words else ""
        try:
            return known.format_map({**words, "title": words.get("job", "") + of})
        except KeyError:  # a field that the sentence needs was not given
            pass
    what = entry.event.replace(".", ": ").replace("_", " ").capitalize()
    fields = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in words.items())
    return f"{what} ({fields})." if fields else f"{what}."


def _said(value: Field) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.1f}" if isinstance(value, float) else value
