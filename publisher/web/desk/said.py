from enum import Enum


class Said(Enum):
    """
    What a page says has just been done.

    An address names one of these, sealed for the session and the page: a link from elsewhere can put no
    words on the desk, and cannot make it claim what did not happen.
    """

    HANDED_IN = "Handed in. It is on the site and in the feeds within a moment."
    HANDED_IN_EARLY = "Handed in. Nothing of it is visible before the embargo ends."
    HANDED_IN_AGAIN = "This article is in the archive already, word for word; nothing has changed."
    REVISED = "Handed in as a new revision of this article."
    RECEIVED = "Handed in. It will be in the archive in a moment."
    WITHDRAWN = "Withdrawn from every channel."
    RESTORED = "Put back on every channel."
    ARRANGED = "Saved. The links stand like this on its page at once, and in every issue from now on."
    DRAFTED = "Drafted. Nothing is sent before it is approved."
    SAVED = "Saved. The previews below show the mail as it is now."
    CHANGED = "Changed. What is approved already keeps the rules that it was approved under."
    APPROVED = "Approved, and frozen as it is. The first mails leave within a moment."
    SCHEDULED = "Approved, and frozen as it is. Nothing has left yet: until its time comes you can undo this."
    MOVED = "Moved. It goes out at its new time, frozen as it is."
    UNDONE = "Undone. It is a draft again, and nothing was sent."
    TESTED = "A test is on its way to your own address."
    CANCELLED = "Cancelled."
    PAUSED = "Paused. Mails that were on the wire may still arrive."
    RETRIED = "They are tried again; whoever is suppressed by now is left out."
    TERM_ADDED = "Added. It stands in the glossary, and is explained in every guide from now on."
    TERM_CHANGED = "Changed. What is approved already keeps the explanation that it was approved with."
    TERM_REMOVED = "Removed. What is approved already keeps its explanation."
    DISMISSED = "That is no term; it will not be proposed again."
    PROPOSED_AGAIN = "It may be proposed again."
    RESUMED = "It goes on exactly where it stopped."

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")
