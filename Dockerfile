# syntax=docker/dockerfile:1
# HIMS for a clinic: one image, from which compose.yaml runs web server, worker and beat. No embedded servers, no tests.

# The tag names one version of the base image. Its digest cannot be looked up where this file is written: set it at the build, as
# docs/releasing.md says, e.g. --build-arg PYTHON_DIGEST=@sha256:...
ARG PYTHON_TAG=3.11.14-slim-bookworm
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --require-hashes -r /tmp/requirements.txt
WORKDIR /app
COPY manage.py ./
COPY hims hims
COPY apps apps
COPY templates templates
COPY static static
# Collecting static files needs settings that load. These secrets are made for this one command and stored nowhere.
RUN random() { /opt/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(48))'; } \
    && HIMS_ENV=production HIMS_ALLOWED_HOSTS=build.invalid HIMS_TRUSTED_PROXIES=1 \
    HIMS_SECRET_KEY="$(random)" HIMS_JWT_KEY="$(random)" HIMS_KEY_RING="$(random)" \
    EMAIL_URL=smtp://build.invalid:25 HIMS_MAIL_FROM=nobody@build.invalid \
    DATABASE_URL=postgres://build.invalid/hims REDIS_URL=redis://build.invalid/0 \
    /opt/venv/bin/python manage.py collectstatic --noinput \
    && /opt/venv/bin/python -m compileall -q hims apps

FROM python:${PYTHON_TAG}${PYTHON_DIGEST}
RUN groupadd --gid 10001 hims && useradd --uid 10001 --gid hims --no-create-home --home-dir /app --shell /usr/sbin/nologin hims \
    && install -d -o hims -g hims -m 0700 /var/lib/hims
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HIMS_ENV=production HIMS_DATA_DIR=/var/lib/hims HIMS_PORT=8000
USER 10001:10001
VOLUME /var/lib/hims
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=6s --start-period=30s --retries=4 CMD ["python", "-m", "hims.launch.health"]
STOPSIGNAL SIGTERM
CMD ["python", "-m", "hims.web", "--host", "0.0.0.0", "--port", "8000"]
