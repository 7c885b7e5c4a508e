"""Layers as pairs of functions: `name_forward(…) → (out, cache)`, `name_backward(dout, cache) → gradients`."""

import numpy as np


def affine_forward(x, w, b):
    """x (samples, inputs), w (inputs, outputs), b (outputs,)."""
    ### BEGIN SOLUTION
    return x @ w + b, (x, w)
    ### END SOLUTION


def affine_backward(dout, cache):
    ### BEGIN SOLUTION
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    ### END SOLUTION


def relu_forward(x):
    ### BEGIN SOLUTION
    return np.maximum(x, 0), x
    ### END SOLUTION


def relu_backward(dout, cache):
    ### BEGIN SOLUTION
    return dout * (cache > 0)
    ### END SOLUTION


def tanh_forward(x):
    ### BEGIN SOLUTION
    y = np.tanh(x)
    return y, y
    ### END SOLUTION


def tanh_backward(dout, cache):
    ### BEGIN SOLUTION
    return dout * (1 - cache**2)
    ### END SOLUTION


def squared_error_forward(prediction, target):
    """The mean of the squares of all differences."""
    ### BEGIN SOLUTION
    difference = prediction - target
    return np.mean(difference**2), difference
    ### END SOLUTION


def squared_error_backward(dout, cache):
    ### BEGIN SOLUTION
    gradient = dout * 2 * cache / cache.size
    return gradient, -gradient
    ### END SOLUTION
