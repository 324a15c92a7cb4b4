"""
Every error of Publisher, in one tree. A class says what the caller can do about it.

    PublisherError
    ├── SettingsError            set a variable, then start again
    ├── InputError               mend the input, then hand it in again
    │   ├── SubmissionError      … an article, naming the file or field
    │   ├── ImportFileError      … a file of subscribers or terms
    │   ├── TermError            … a glossary term, with a sentence for each field
    │   └── TemplateTextError    … an editor's text: subject, introduction
    ├── NotFoundError            look it up again; the id or name is unknown
    ├── ConflictError            the thing is no longer in a state that allows this
    ├── NotAllowedError          ask somebody whose role may do this
    ├── FetchError               the outside address gave nothing useful; try later
    ├── RemoteError              the service elsewhere says no, in its own words, or nothing
    ├── LeaseLostError           stop: another worker has taken over
    ├── DatabaseBusyError        serve what is at hand; try later
    └── TransportError           a message was not handed over
        ├── TransportUnavailableError   not now: the same message may go later
        └── MessageRefusedError         not ever: sending it again is wrong

Arguments are `args`, so that an error survives pickling between processes. No personal
data: an id, never an address.
"""

from collections.abc import Mapping


class PublisherError(Exception):
    """Anything that stops Publisher from doing what it was asked."""


class SettingsError(PublisherError):
    """A setting is missing or wrong."""

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(variable, problem)
        self.variable = variable
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.variable} {self.problem}"


class InputError(PublisherError):
    """What came in cannot be used; the message says what is wrong and where."""

    def __init__(self, problem: str, where: str = "") -> None:
        super().__init__(problem, where)
        self.problem = problem
        self.where = where
        self.faults: Mapping[str, str] = {where: problem}
        """What is wrong, by place."""

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" if self.where else self.problem


class SubmissionError(InputError):
    """An article that cannot be accepted; nothing of it was stored."""


class ImportFileError(InputError):
    """A file of subscribers or glossary terms that cannot be read at all."""


class TermError(InputError):
    """A glossary term that cannot be kept as it is; nothing of it was stored."""

    def __init__(self, name: str, faults: Mapping[str, str]) -> None:
        where, problem = next(iter(faults.items()))
        super().__init__(problem, where)
        self.args = (name, dict(faults))
        self.name = name
        self.faults = faults

    def __str__(self) -> str:
        said = " ".join(f"{where}: {problem}" for where, problem in self.faults.items())
        return f"“{self.name}” – {said}" if self.name else said


class TemplateTextError(InputError):
    """An editor's text that names a slot we do not have, or does not parse."""


class NotFoundError(PublisherError):
    """No such thing."""

    def __init__(self, kind: str, name: str | int) -> None:
        super().__init__(kind, name)
        self.kind = kind
        self.name = name

    def __str__(self) -> str:
        return f"There is no {self.kind} {self.name!r}."


class ConflictError(PublisherError):
    """The thing is in a state that does not allow this."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class NotAllowedError(PublisherError):
    """Whoever asks may not do this."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class FetchError(PublisherError):
    """An outside address could not be read."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url = url
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.url}: {self.problem}"


class RemoteError(PublisherError):
    """A Publisher elsewhere did not do what a command asked of it."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(url, problem)
        self.url = url
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.url}: {self.problem}"


class LeaseLostError(PublisherError):
    """Another worker has taken this over; record nothing."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what

    def __str__(self) -> str:
        return f"The lease on {self.what} was lost to another worker."


class DatabaseBusyError(PublisherError):
    """The database gave no answer in the time that a reader waits."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"The database is busy: {self.reason}"


class TransportError(PublisherError):
    """A message was not handed over."""

    def __init__(self, transport: str, reason: str) -> None:
        super().__init__(transport, reason)
        self.transport = transport
        self.reason = reason


class TransportUnavailableError(TransportError):
    """Not now: the same message may go later."""

    def __str__(self) -> str:
        return f"{self.transport} cannot take messages now: {self.reason}"


class MessageRefusedError(TransportError):
    """Not ever: sending it again is wrong."""

    def __str__(self) -> str:
        return f"{self.transport} refused the message for good: {self.reason}"
