"""What a site does with PIL: opens, resizes, saves, writes text; prints what came of it as JSON. Argument: a TrueType font."""
import io
import json
import sys

import PIL
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFont, features

picture = Image.merge("RGB", [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.new("L", (256, 256), 90)])


def save_and_open(form, **options):
    """The picture's bytes in a form, and the picture that they give again."""
    file = io.BytesIO()
    picture.save(file, form, **options)
    with Image.open(io.BytesIO(file.getvalue())) as again:
        again.load()
        assert again.format == form, again.format
        return file.getvalue(), again


def worst_difference(form, **options):
    """By how much the sample that suffered most differs after a third of the size each way, saved and opened."""
    _, again = save_and_open(form, **options)
    pair = [one.convert("RGB").resize((85, 85), Image.LANCZOS) for one in (picture, again)]
    return max(high for _, high in ImageChops.difference(*pair).getextrema())


def text(string):
    """Written in black on white, and how many pixels are no longer white."""
    canvas = Image.new("L", (400, 80), 255)
    font = ImageFont.truetype(sys.argv[1], 40)
    ImageDraw.Draw(canvas).text((10, 10), string, font=font, fill=0)
    return sum(canvas.histogram()[:255])


def quality(**options):
    """The luminance table of the JPEG that is saved, which tells its quality."""
    _, again = save_and_open("JPEG", **options)
    return again.quantization[0]


def is_refused(width, height):
    """Whether a picture of this size, which needs few bytes, counts as an attack when it is opened."""
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    try:
        Image.open(io.BytesIO(file.getvalue()))
    except Image.DecompressionBombError:
        return True
    return False


srgb = ImageCms.createProfile("sRGB")
print(
    json.dumps(
        {
            "file": PIL.__file__,
            "version": PIL.__version__,
            "refused": [is_refused(6000, 6000), is_refused(8000, 10001)],
            "versions": {
                name: features.version(name)
                for name in ("libjpeg_turbo", "zlib", "libtiff", "jpg_2000", "freetype2", "littlecms2", "webp")
            },
            "missing": [name for name in ("jpg", "zlib", "libtiff", "jpg_2000") if not features.check(name)]
            + [name for name in ("freetype2", "littlecms2", "webp", "webp_mux", "webp_anim") if not features.check(name)],
            "worst": {
                "PNG": worst_difference("PNG"),
                "JPEG": worst_difference("JPEG", quality=95),
                "lossless WebP": worst_difference("WEBP", lossless=True),
                "WebP": worst_difference("WEBP", quality=95),
                "TIFF with LZW": worst_difference("TIFF", compression="tiff_lzw"),
                "TIFF with Deflate": worst_difference("TIFF", compression="tiff_adobe_deflate"),
                "TIFF with JPEG": worst_difference("TIFF", compression="jpeg", quality=95),
                "JPEG 2000": worst_difference("JPEG2000"),
            },
            "text": {"few": text("i"), "many": text("Vendored")},
            "jpegQuality": {"same": quality() == quality(quality=85), "75": quality() == quality(quality=75)},
            "colour": ImageCms.profileToProfile(picture, srgb, srgb).size,
            "maps": sorted({line.split(None, 5)[5].strip() for line in open("/proc/self/maps") if ".so" in line}),
        }
    )
)
