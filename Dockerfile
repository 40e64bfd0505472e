# Worker, web server and proxy of Switchyard: one image, `switchyard worker|serve|proxy`.
FROM python:3.11.14-slim-bookworm AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9 && uv venv /opt/switchyard
WORKDIR /src
# Dependencies first: they change less often than the code.
COPY requirements.lock pyproject.toml README.md ./
RUN uv pip compile -q --no-header pyproject.toml -c requirements.lock --generate-hashes -o runtime.lock \
  && uv pip install -q --python /opt/switchyard/bin/python --require-hashes -r runtime.lock
COPY worker.py ./
COPY pipelines pipelines
COPY workflows workflows
COPY activities activities
COPY starter starter
RUN uv pip install -q --python /opt/switchyard/bin/python --no-deps .

FROM python:3.11.14-slim-bookworm
# Versions are those of the pinned base image's distribution release.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends git git-lfs openssh-client \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --uid 10001 --create-home switchyard \
  && install -d -o switchyard -g switchyard /var/lib/switchyard
COPY --from=build /opt/switchyard /opt/switchyard
ENV PATH=/opt/switchyard/bin:$PATH PYTHONUNBUFFERED=1 SWITCHYARD_STATE_DIR=/var/lib/switchyard
USER 10001
WORKDIR /home/switchyard
VOLUME /var/lib/switchyard
EXPOSE 8080
# `switchyard serve` and `switchyard proxy` are the other two.
CMD ["switchyard", "worker"]
