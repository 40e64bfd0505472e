"""A supervisor in an ordinary Python process (so that its coverage is measured): python -m tests.support.serve_job DESCRIPTOR."""

import signal
import socket
import sys

from activities.steps.supervisor import ASKED
from activities.steps.zygote import serve

if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKED)
    serve(socket.socket(fileno=int(sys.argv[1])))
