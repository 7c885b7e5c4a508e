"""Layers with `forward(x)` and `backward(dout)`; parameters and their gradients in dictionaries."""

import numpy as np


class Layer:
    def __init__(self):
        self.params, self.grads = {}, {}


class Linear(Layer):
    """x (samples, inputs) → x W + b (samples, outputs)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.params = {"W": np.zeros((inputs, outputs)), "b": np.zeros(outputs)}

    def forward(self, x):
        ### BEGIN SOLUTION
        self.x = x
        return x @ self.params["W"] + self.params["b"]
        ### END SOLUTION

    def backward(self, dout):
        ### BEGIN SOLUTION
        self.grads = {"W": self.x.T @ dout, "b": dout.sum(axis=0)}
        return dout @ self.params["W"].T
        ### END SOLUTION


class ReLU(Layer):
    def forward(self, x):
        ### BEGIN SOLUTION
        self.mask = x > 0
        return x * self.mask
        ### END SOLUTION

    def backward(self, dout):
        ### BEGIN SOLUTION
        return dout * self.mask
        ### END SOLUTION


class Softmax(Layer):
    """Along the last axis."""

    def forward(self, x):
        ### BEGIN SOLUTION
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.y = e / e.sum(axis=-1, keepdims=True)
        return self.y
        ### END SOLUTION

    def backward(self, dout):
        ### BEGIN SOLUTION
        return self.y * (dout - (dout * self.y).sum(axis=-1, keepdims=True))
        ### END SOLUTION


class CrossEntropy(Layer):
    """Of logits (samples, classes) with the right classes `labels`, averaged over the samples."""

    def forward(self, logits, labels):
        ### BEGIN SOLUTION
        shifted = logits - logits.max(axis=1, keepdims=True)
        logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.p, self.labels = np.exp(logp), labels
        return -logp[np.arange(len(labels)), labels].mean()
        ### END SOLUTION

    def backward(self, dout=1.0):
        ### BEGIN SOLUTION
        d = self.p.copy()
        d[np.arange(len(self.labels)), self.labels] -= 1
        return dout * d / len(self.labels)
        ### END SOLUTION


class Sequential:
    def __init__(self, layers):
        self.layers = layers

    def forward(self, x):
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = layer.forward(x)
        return x
        ### END SOLUTION

    def backward(self, dout):
        ### BEGIN SOLUTION
        for layer in reversed(self.layers):
            dout = layer.backward(dout)
        return dout
        ### END SOLUTION
