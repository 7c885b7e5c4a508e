"""A scalar autograd engine: every operation leaves a closure behind that sends gradients to its inputs."""

import math


class Value:
    """A number in the graph, what it was made from, and the gradient of the output with respect to it."""

    def __init__(self, data, prev=()):
        self.data = data
        self.grad = 0.0
        self._prev = tuple(prev)
        self._backward = lambda: None

    def __add__(self, other):
        # TODO: value and closure
        ### BEGIN SOLUTION
        out = Value(self.data + other.data, (self, other))

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out
        ### END SOLUTION

    def __mul__(self, other):
        # TODO: value and closure
        ### BEGIN SOLUTION
        out = Value(self.data * other.data, (self, other))

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out
        ### END SOLUTION

    def __pow__(self, exponent):
        # TODO: value and closure; the exponent is a plain number
        ### BEGIN SOLUTION
        out = Value(self.data**exponent, (self,))

        def _backward():
            self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out._backward = _backward
        return out
        ### END SOLUTION

    def __neg__(self):
        return self * Value(-1.0)

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def exp(self):
        # TODO: value and closure
        ### BEGIN SOLUTION
        out = Value(math.exp(self.data), (self,))

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out
        ### END SOLUTION

    def tanh(self):
        # TODO: value and closure
        ### BEGIN SOLUTION
        out = Value(math.tanh(self.data), (self,))

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out
        ### END SOLUTION

    def relu(self):
        # TODO: value and closure
        ### BEGIN SOLUTION
        out = Value(max(self.data, 0.0), (self,))

        def _backward():
            self.grad += (out.data > 0) * out.grad

        out._backward = _backward
        return out
        ### END SOLUTION

    def backward(self):
        """Set the gradient of this value with respect to everything it rests on."""
        # TODO
        ### BEGIN SOLUTION
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            value, parents_done = stack.pop()
            if parents_done:
                order.append(value)
            elif value not in seen:
                seen.add(value)
                stack.append((value, True))
                stack.extend((parent, False) for parent in value._prev)
        self.grad = 1.0
        for value in reversed(order):
            value._backward()
        ### END SOLUTION
