# The image of every process of a fleet: docker build --tag chartfleet .
#
# The base is named by tag, so that a new build picks up its fixes. To pin it, add the digest that
# `docker buildx imagetools inspect python:3.13-slim` shows: python:3.13-slim@sha256:...
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY docker/build.lock docker/image.lock docker/
# Wheels only, with checksums: nothing is compiled, and no code runs that the lock doesn't name.
RUN python -m venv --without-pip /venv \
    && python -m pip --python /venv/bin/python install --require-hashes --only-binary :all: --requirement docker/image.lock
RUN python -m pip install --require-hashes --only-binary :all: --requirement docker/build.lock
COPY pyproject.toml README.md LICENSE ./
COPY analysis analysis
COPY loaders loaders
COPY tasks tasks
COPY workers workers
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m pip --python /venv/bin/python install --no-deps --no-index /wheels/*.whl

FROM ${BASE}
LABEL org.opencontainers.image.title="Chartfleet" org.opencontainers.image.licenses="Apache-2.0"
# A fixed uid, because volumes and files of the host belong to it. A process may write to its volume and /tmp only.
RUN groupadd --gid 10001 chartfleet \
    && useradd --uid 10001 --gid 10001 --create-home --home-dir /home/chartfleet --shell /usr/sbin/nologin chartfleet \
    && chmod 755 /home/chartfleet \
    && install --directory --owner=10001 --group=10001 /var/lib/chartfleet \
    && install --directory /etc/chartfleet
COPY --from=build /venv /venv
# The file system is read-only later: otherwise every health check would compile what it imports.
RUN python -m compileall -q -j 0 /usr/local/lib/python3.* /venv
ENV PATH=/venv/bin:$PATH HOME=/home/chartfleet PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
# Where chartfleet.toml is read from.
WORKDIR /etc/chartfleet
# No HEALTHCHECK: it depends on the command; see docker-compose.yml.
ENTRYPOINT ["chartfleet"]
CMD ["--help"]
