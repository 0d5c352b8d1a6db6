# Two images from one recipe: `service` (API, workers) and `ingest` (adds licence detection).
#
#     docker build --target service --tag whence:service .
#
# The base is Debian 13 for its liblzma: it unpacks xz half as fast again as that of Debian 12.
# A release pins the base by digest: --build-arg BASE=python:3.11-slim-trixie@sha256:…
# The image holds no secret; settings come from WHENCE_* variables. It runs with a read-only root, without
# capabilities: it writes to the volume WHENCE_DATA_DIR and to /tmp only.
#
#     docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#         --volume whence:/var/lib/whence whence:service

ARG BASE=python:3.11-slim-trixie

# --- the wheel, with the locked build backend
FROM ${BASE} AS wheel
WORKDIR /src
COPY requirements/build.txt requirements/build.txt
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY workers workers
COPY corpus corpus
RUN /opt/build/bin/python -m hatchling build -t wheel -d /wheels

# --- one environment a target; the wheel comes last, so that a change of code keeps the layer of dependencies
FROM ${BASE} AS service-environment
COPY requirements/service.txt /requirements/service.txt
RUN python -m venv /opt/whence \
    && /opt/whence/bin/pip install --no-cache-dir --require-hashes -r /requirements/service.txt
COPY --from=wheel /wheels /wheels
RUN /opt/whence/bin/pip install --no-cache-dir --no-index --no-deps /wheels/*.whl

FROM ${BASE} AS ingest-environment
COPY requirements/ingest.txt /requirements/ingest.txt
RUN python -m venv /opt/whence \
    && /opt/whence/bin/pip install --no-cache-dir --require-hashes -r /requirements/ingest.txt
COPY --from=wheel /wheels /wheels
RUN /opt/whence/bin/pip install --no-cache-dir --no-index --no-deps /wheels/*.whl

# --- what both run on: an unprivileged user by number, one writable folder
FROM ${BASE} AS runtime
LABEL org.opencontainers.image.title="Whence" \
      org.opencontainers.image.description="Tells where the code in a change came from and whether the project may use it." \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.vendor="The Whence developers"
ENV PATH=/opt/whence/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NUMBA_CACHE_DIR=/var/lib/whence/machine-code \
    WHENCE_DATA_DIR=/var/lib/whence
RUN install -d -o 10001 -g 10001 -m 0750 /var/lib/whence
VOLUME /var/lib/whence
WORKDIR /var/lib/whence
USER 10001:10001
ENTRYPOINT ["whence"]
CMD ["--help"]
# Cheap on purpose: `whence doctor` reads every byte of the corpus.
HEALTHCHECK --interval=60s --timeout=10s --start-period=10s CMD ["whence", "--version"]

FROM runtime AS ingest
COPY --from=ingest-environment /opt/whence /opt/whence

FROM runtime AS service
COPY --from=service-environment /opt/whence /opt/whence
EXPOSE 8321
# Others can reach it, so it starts once there is a key: `whence keys create` with the same volume.
CMD ["serve", "--host", "0.0.0.0", "--port", "8321"]
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8321/healthz', timeout=5)"]
