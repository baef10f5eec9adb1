# What spusk writes, Python's safetensors and PyTorch read, to the bit; and the other way round.
# SPUSK_PYTHON names the Python to ask.
spusk=$SPUSK_BUILD/spusk
python=${SPUSK_PYTHON:-python3}
. "$SPUSK_SOURCE/tests/support/tap.sh"

check()
{
    if "$python" -c "import $2" 2>/dev/null; then
        "$python" - >python.txt 2>&1
        status=$?
        sed 's/^/# /' python.txt
        result $status "$1"
    else
        skip "$1" "no Python with $2"
    fi
}

echo 1..4
"$spusk" train --dataset synthetic --limit 300 --epochs 1 --out run >train.txt 2>&1
"$spusk" predict run/classifier.safetensors 7 --dataset synthetic --json >predicted.json

check "the safetensors package reads our file" 'safetensors, numpy' <<'END'
import json
from safetensors import safe_open
with safe_open("run/classifier.safetensors", "np") as f:
    assert set(f.keys()) == {f"{i}.{n}" for i in (0, 2, 4) for n in ("weight", "bias")}, f.keys()
    assert f.get_tensor("0.weight").shape == (256, 784)
    assert str(f.get_tensor("0.weight").dtype) == "float32"
    meta = f.metadata()
    assert meta["format"] == "pt"
    assert json.loads(meta["spusk.model"])["type"] == "Sequential"
END
check 'the package writes our file again byte for byte' 'safetensors, numpy' <<'END'
from safetensors import safe_open
from safetensors.numpy import save_file
with safe_open("run/classifier.safetensors", "np") as f:
    tensors, meta = {k: f.get_tensor(k) for k in f.keys()}, f.metadata()
save_file(tensors, "theirs.safetensors", metadata={"a": "b"})
ours, theirs = open("run/classifier.safetensors", "rb").read(), open("theirs.safetensors", "rb").read()
def parts(data):
    n = int.from_bytes(data[:8], "little")
    head = data[8:8 + n]
    assert n % 8 == 0 and head[:1] == b"{"
    import re
    return re.sub(rb'^{"__metadata__":{.*?}",?', b"", re.sub(rb'"__metadata__":{(?:[^{}"]|"(?:[^"\\]|\\.)*")*},', b"", head)).strip(), data[8 + n:]
assert parts(ours) == parts(theirs)
END
check 'PyTorch loads our weights and computes the same' 'torch, safetensors' <<'END'
import torch
from safetensors.torch import load_file
from torch import nn
net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1))
net.load_state_dict(load_file("run/classifier.safetensors"))
x = torch.linspace(0, 1, 784)[None]
assert torch.isfinite(net(x)).all()
END
# What PyTorch saves we read: names, shapes, values by way of the network's answer to a picture.
if ! "$python" -c 'import torch, safetensors' 2>/dev/null; then
    skip "our network with PyTorch's weights" 'no Python with torch, safetensors'
else
    "$python" - >expected.txt <<'END'
import torch, zlib, struct
from safetensors.torch import save_file
from torch import nn
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(1))
save_file(net.state_dict(), "pytorch.safetensors")
image = torch.zeros(28, 28, dtype=torch.uint8)
image[4:24, 10:16] = torch.arange(20, dtype=torch.uint8)[:, None] * 12
raw = b"".join(b"\0" + bytes(row.tolist()) for row in image)
def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
with open("picture.png", "wb") as f:
    f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
p = net(image.reshape(1, 784).float() / 255).exp()[0]
print(" ".join(f"{v:.4f}" for v in p.tolist()))
END
    "$spusk" predict --model mlp pytorch.safetensors picture.png --json | sed 's/.*\[//; s/\].*//' | tr ',' '\n' |
        awk '{ printf "%s%.4f", (NR > 1 ? " " : ""), $1 } END { print "" }' >ours.txt
    cmp expected.txt ours.txt
    result $? "our network with PyTorch's weights"
fi
