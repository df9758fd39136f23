# The page without TensorFlow: docker build -t deepfake . && docker run --rm -p 7860:7860 --read-only --tmpfs /tmp deepfake
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib \
    GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
WORKDIR /app
COPY requirements.lock ./
# Exact versions, each file proved by its checksum, and wheels alone: a build would fetch tools that nothing checks.
RUN pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE app.py ./
COPY deepfake deepfake
COPY models models
COPY examples examples
# Editable, so that the models, which a wheel would copy, are here once; by the locked hatchling, from no index.
RUN pip install --no-index --no-deps --no-build-isolation -e . && python -m compileall -q deepfake
USER 10001:10001
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
CMD ["python", "app.py"]
