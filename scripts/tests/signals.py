"""The signals that end a script, whatever the caller of the tests ignores."""

import signal

SIGNALS = ("SIGHUP", "SIGINT", "SIGTERM")


def listen():
    """Undoes what a caller ignores, as nohup does with SIGHUP and a shell in the background with SIGINT: a process inherits it,
    and bash cannot trap it then."""
    for name in SIGNALS:
        signal.signal(signal.Signals[name], signal.SIG_DFL)
