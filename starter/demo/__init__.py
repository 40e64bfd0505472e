"""`switchyard demo`: a commit's whole way, from the webhook to a canary in production; and a bad one, which is rolled back."""

from starter.demo.demo import run_demo

__all__ = ["run_demo"]
