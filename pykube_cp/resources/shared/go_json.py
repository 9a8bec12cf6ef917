"""What Go's decoder says about JSON that is not what it should be."""
# upstream: encoding/json Unmarshal

from pykube_cp.machinery.codec import json
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.leaves import not_a_map


def why_no_object(text: bytes) -> str:
    """Empty when the text is a JSON object."""
    try:
        value = json.loads(text)
    except DecodeError as error:
        return str(error)
    if value is None or isinstance(value, dict):
        return ""
    return not_a_map(value)
