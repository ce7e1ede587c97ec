"""What holds for the whole suite."""

import signal

# A program inherits which signals are ignored, and ours respects that. Started by a script in the background, or under
# nohup, the suite would hand it down to the commands whose signals are tested.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
