"""A small site in the way of Django's development server: answers with its version, its process, and what PIL says of a picture that it made."""
import io
import json
import os
import sys
from wsgiref.simple_server import make_server

import PIL
from PIL import Image, features

VERSION = "1"


def application(environ, start_response):
    file = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").resize((8, 6)).save(file, "JPEG")
    answer = {
        "version": VERSION,
        "pid": os.getpid(),
        "pil": PIL.__version__,
        "jpeg": features.version("libjpeg_turbo"),
        "from": PIL.__file__,
        "picture": Image.open(file).size,
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


make_server("127.0.0.1", int(sys.argv[1]), application).serve_forever()
