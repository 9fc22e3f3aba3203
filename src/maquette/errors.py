"""The one kind of error that is the user's to mend."""


class InputError(ValueError):
    """Wrong input: one line that names the file or option at fault and says what would be right.

    The command line prints the line alone and exits with status 2; every other exception is a failure of
    ours or of the machine and exits with status 1.
    """
