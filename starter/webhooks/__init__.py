"""Webhooks: what a provider reports becomes a run, once, and is acknowledged as soon as Temporal has it for good.

How a report is mapped to a run (`pipelines.messages.common.RunRequest`):

- `repo` is the provider's owner/name and `clone_url` the payload's HTTPS address, taken as it is. Whoever knows the webhook's
  secret may thus name every repository that the worker may clone: https, ssh, and for repositories on this machine `file:///path`
  or an absolute path.
- A pull or merge request is cloned from the repository it is for, never from a fork: both providers offer its commits there. One
  that comes from a fork gets no secrets.
- The run's id is provider/repo/sha/pipeline for a push to the default branch; other branches, tags, releases and pull requests
  add their name. So every event starts one run, however often it is delivered, and none stands for another.
"""
