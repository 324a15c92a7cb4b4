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
    CHOSEN = "Saved. The desk’s times are those of this zone now."
    RUNG = "Every stage was rung; what is due is done now, by workers that are alive."
    CLEARED = "Cleared. What goes wrong from now on will stand here."
    CHANGED = "Changed. What is approved already keeps the rules that it was approved under."
    APPROVED = "Approved, and frozen as it is. The first mails leave within a moment."
    SCHEDULED = "Approved, and frozen as it is. Nothing has left yet: until its time comes you can undo this."
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
    EDITION_ADDED = "Added. It makes no issue before you start it: look at it first."
    EDITION_STARTED = "Started. Its issues come about by themselves from now on."
    EDITION_STOPPED = "Stopped. No issue comes about by itself any more; what is approved goes out."
    READER_ADDED = "Added, with the yes that you noted."
    READER_ASKED = "A mail asks for a yes; after the yes the issues come. Nobody is asked twice within ten minutes."
    READER_CHANGED = "Changed."
    READER_LEFT = "Unsubscribed. Only the reader can begin it again."
    READER_ERASED = "Erased for good."
    SUPPRESSED = "This address is not mailed any more."
    LIFTED = "This address may be mailed again."
    LIST_ADDED = "Added. Readers can choose it from now on."
    LIST_CHANGED = "Changed. Readers see it like this from now on."
    SOURCE_ADDED = "Added. It is read for the first time within a moment."
    SOURCE_READ = "It is read within a moment; reload this page to see how it went."
    SOURCE_REMOVED = "Removed. Its articles stay."
    SEGMENT_ADDED = "Added. An edition goes to it once its rules say so."
    SEGMENT_CHANGED = "Changed. What is being sent already goes to whom it was approved for."
    SEGMENT_REMOVED = "Removed. Its readers stay."
    ENDPOINT_CHANGED = "Changed. What waits already is sent to the new address."
    ENDPOINT_DELETED = "Deleted. Nothing is told there any more."
    WEBHOOK_TESTED = "A test is on its way; what became of it stands below in a moment."
    WEBHOOK_AGAIN = "It is sent again, with the same id."
    SWITCHED_ON = "Switched on. It goes on where it stopped."
    SWITCHED_OFF = "Switched off. What happens meanwhile waits, for three days at most."
    RESUMED = "It goes on exactly where it stopped."

    @property
    def word(self) -> str:
        return self.name.lower().replace("_", "-")
