"""Keras' files by their documented layout: `.h5` of Keras 2 and 3, `.keras` of Keras 2.12 and 3."""

import io
import json
import zipfile

import h5py
import numpy as np

#: What a `.keras` archive calls a layer of a class.
IN_ARCHIVES = {
    "Conv2D": "conv2d",
    "Conv2DTranspose": "conv2d_transpose",
    "PReLU": "p_re_lu",
    "InputLayer": "input_layer",
}


def layers(weights, *, last=None, shared_axes=(1, 2)):
    """The layers of a model as (class, configuration, arrays)."""
    found = [("InputLayer", {"name": "picture"}, [])]
    for i, (kernel, bias, slope) in enumerate(weights.convolutions):
        size = kernel.shape[-1]
        config = {
            "name": f"conv2d_{i}", "kernel_size": [size, size], "strides": [1, 1], "padding": "same",
            "dilation_rate": [1, 1], "groups": 1, "use_bias": True, "activation": "linear",
        }  # fmt: skip
        found.append(("Conv2D", config, [kernel.transpose(2, 3, 1, 0), bias]))
        alpha = slope[:, None, None] if shared_axes == (2, 3) else slope[None, None]
        found.append(("PReLU", {"name": f"p_re_lu_{i}", "shared_axes": list(shared_axes)}, [alpha]))
    scale = weights.architecture.scale
    config = {
        "name": "up", "kernel_size": [9, 9], "strides": [scale, scale], "padding": "same", "output_padding": None,
        "dilation_rate": [1, 1], "use_bias": True, "activation": "linear", **(last or {}),
    }  # fmt: skip
    kernel, bias = weights.deconvolution
    found.append(("Conv2DTranspose", config, [kernel.transpose(2, 3, 1, 0), bias]))
    return found


def config(entries, style):
    """The model's configuration: "sequential", or "functional" with the connections of Keras "2" or "3"."""
    if style == "sequential":
        listed = [{"class_name": kind, "config": config} for kind, config, _ in entries]
        return {"class_name": "Sequential", "config": {"name": "net", "layers": listed}}
    listed, before = [], None
    for kind, config, _ in entries:
        name = config["name"]
        nodes = []
        if before and style == "functional 2":
            nodes = [[[before, 0, 0, {}]]]
        elif before:
            tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None], "keras_history": [before, 0, 0]}}
            nodes = [{"args": [tensor], "kwargs": {}}]
        listed.append({"class_name": kind, "config": config, "name": name, "inbound_nodes": nodes})
        before = name
    return {"class_name": "Functional", "config": {"name": "net", "layers": listed[::-1]}}


def write_h5(path, entries, *, style="functional 2", backend="tensorflow", with_config=True):
    """`model.save("x.h5")`."""
    with h5py.File(path, "w") as file:
        file.attrs.update(keras_version="2.11.0", backend=backend)
        if with_config:
            file.attrs["model_config"] = json.dumps(config(entries, style))
        group = file.create_group("model_weights") if with_config else file
        group.attrs["layer_names"] = [c["name"].encode() for _, c, _ in entries]
        for kind, c, arrays in entries:
            names = ["alpha"] if kind == "PReLU" else ["kernel", "bias"]
            layer = group.create_group(c["name"])
            full = [f"{c['name']}/{name}:0" for name, _ in zip(names, arrays, strict=False)]
            layer.attrs["weight_names"] = [name.encode() for name in full]
            for name, array in zip(full, arrays, strict=True):
                layer[name] = array


def write_archive(path, entries, *, style="functional 3", container="layers"):
    """`model.save("x.keras")`."""
    content, seen = io.BytesIO(), {}
    listed = entries[::-1] if style.startswith("functional") else entries
    with h5py.File(content, "w") as file:
        for kind, _, arrays in listed:
            name = IN_ARCHIVES.get(kind, kind.lower())
            number = seen[name] = seen.get(name, -1) + 1
            group = file.create_group(f"{container}/{name}{f'_{number}' if number else ''}/vars")
            for i, array in enumerate(arrays):
                group[str(i)] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", json.dumps(config(entries, style)))
        archive.writestr("model.weights.h5", content.getvalue())


def run(entries, picture):
    """TensorFlow's arithmetic in loops: SAME pads what is missing, the smaller half first; the transpose undoes it."""
    x = np.asarray(picture, float)[..., None]
    for kind, config, arrays in entries:
        if kind == "PReLU":
            alpha = arrays[0].reshape(-1)
            x = np.where(x > 0, x, alpha * x)
        elif kind == "Conv2D":
            kernel, bias = arrays
            rows, columns = kernel.shape[:2]
            high, wide = x.shape[:2]
            out = np.zeros((high, wide, kernel.shape[3])) + bias
            for i, j, t, u in np.ndindex(high, wide, rows, columns):
                r, c = i + t - (rows - 1) // 2, j + u - (columns - 1) // 2
                if 0 <= r < high and 0 <= c < wide:
                    out[i, j] += x[r, c] @ kernel[t, u]
            x = out
        elif kind == "Conv2DTranspose":
            kernel, bias = arrays
            size, s = kernel.shape[0], config["strides"][0]
            high, wide = x.shape[:2]
            if config["padding"] == "same":
                extra = config["output_padding"]
                shape = [
                    n * s if extra is None else (n - 1) * s + size - 2 * (size // 2) + extra[0] for n in (high, wide)
                ]
            else:
                shape = [n * s + size - s for n in (high, wide)]
            # the convolution that this is the transpose of pads so much in front
            top, left = (((n - 1) * s + size - m) // 2 for n, m in zip((high, wide), shape, strict=True))
            out = np.zeros((*shape, kernel.shape[2])) + bias
            for i, j, t, u in np.ndindex(high, wide, size, size):
                r, c = s * i + t - top, s * j + u - left
                if 0 <= r < shape[0] and 0 <= c < shape[1]:
                    out[r, c] += kernel[t, u] @ x[i, j]
            x = out
        elif kind == "Cropping2D":
            (top, bottom), (left, right) = config["cropping"]
            x = x[top : x.shape[0] - bottom, left : x.shape[1] - right]
    return x[..., 0]
