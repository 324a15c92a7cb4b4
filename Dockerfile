# One image for web, workers and beat; the command says which.
FROM python:3.13-slim-bookworm AS build
WORKDIR /srv/publisher
RUN python -m venv /opt/publisher
COPY requirements.lock ./
RUN /opt/publisher/bin/pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data publisher \
    && mkdir /data && chown publisher:publisher /data
WORKDIR /srv/publisher
COPY --from=build /opt/publisher /opt/publisher
COPY publisher publisher
COPY feeds feeds
COPY workers workers
COPY templates templates
COPY pyproject.toml LICENSE ./
RUN echo /srv/publisher > "$(/opt/publisher/bin/python -c 'import site; print(site.getsitepackages()[0])')/publisher.pth" \
    && printf '#!/opt/publisher/bin/python\nfrom publisher.cli.main import run\n\nrun()\n' > /opt/publisher/bin/publisher \
    && chmod +x /opt/publisher/bin/publisher
ENV PATH=/opt/publisher/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PUBLISHER_DATA_DIR=/data
USER publisher
VOLUME /data
EXPOSE 8000
CMD ["publisher", "web", "--host", "0.0.0.0"]
