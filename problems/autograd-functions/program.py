"""Autograd with static functions: `forward(ctx, …)` saves what `backward(ctx, d_output)` needs."""

import numpy as np


class Context:
    def save_for_backward(self, *values):
        self.saved = values


class Tensor:
    """An array in the graph; `function`, `ctx` and `parents` say where it came from."""

    def __init__(self, data, function=None, ctx=None, parents=()):
        self.data = np.asarray(data, dtype=float)
        self.grad = None
        self.function, self.ctx, self.parents = function, ctx, parents

    def backward(self):
        """Set `grad` of every tensor this one rests on."""
        # TODO
        ### BEGIN SOLUTION
        order, seen = [], set()

        def visit(tensor):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                for parent in tensor.parents:
                    visit(parent)
                order.append(tensor)

        visit(self)
        for tensor in order:
            tensor.grad = np.zeros_like(tensor.data)
        self.grad = np.ones_like(self.data)
        for tensor in reversed(order):
            if tensor.function is None:
                continue
            gradients = tensor.function.backward(tensor.ctx, tensor.grad)
            for parent, gradient in zip(tensor.parents, gradients):
                parent.grad = parent.grad + gradient
        ### END SOLUTION


class Function:
    @classmethod
    def apply(cls, *tensors):
        ctx = Context()
        return Tensor(cls.forward(ctx, *[tensor.data for tensor in tensors]), cls, ctx, tensors)


def unbroadcast(gradient, shape):
    """Sum a gradient over the axes along which an input of this shape was repeated."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] > 1)
    return gradient.sum(axis=axes, keepdims=True)


class Add(Function):
    @staticmethod
    def forward(ctx, a, b):
        ### BEGIN SOLUTION
        ctx.save_for_backward(np.shape(a), np.shape(b))
        return a + b
        ### END SOLUTION

    @staticmethod
    def backward(ctx, d_output):
        ### BEGIN SOLUTION
        shape_a, shape_b = ctx.saved
        return unbroadcast(d_output, shape_a), unbroadcast(d_output, shape_b)
        ### END SOLUTION


class Mul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ### BEGIN SOLUTION
        ctx.save_for_backward(a, b)
        return a * b
        ### END SOLUTION

    @staticmethod
    def backward(ctx, d_output):
        ### BEGIN SOLUTION
        a, b = ctx.saved
        return unbroadcast(d_output * b, np.shape(a)), unbroadcast(d_output * a, np.shape(b))
        ### END SOLUTION


class Sigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        ### BEGIN SOLUTION
        y = 1 / (1 + np.exp(-x))
        ctx.save_for_backward(y)
        return y
        ### END SOLUTION

    @staticmethod
    def backward(ctx, d_output):
        ### BEGIN SOLUTION
        (y,) = ctx.saved
        return (d_output * y * (1 - y),)
        ### END SOLUTION


class MatMul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ### BEGIN SOLUTION
        ctx.save_for_backward(a, b)
        return a @ b
        ### END SOLUTION

    @staticmethod
    def backward(ctx, d_output):
        ### BEGIN SOLUTION
        a, b = ctx.saved
        return d_output @ b.T, a.T @ d_output
        ### END SOLUTION
