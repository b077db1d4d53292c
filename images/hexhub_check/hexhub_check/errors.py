"""What goes wrong in a check, by whose fault."""


class StudentError(Exception):
    """The student's program failed; the message is a sentence for the student."""


class MachineError(Exception):
    """The student's machine does not give what was asked; the message is for the student."""


class NothingThere(MachineError):
    """A path leads to nothing."""


class HarnessError(Exception):
    """The check itself is at fault: the order to the harness, the image or the author's code."""
