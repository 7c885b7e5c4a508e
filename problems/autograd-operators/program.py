"""Autograd whose gradients are nodes of the same graph: `compute(*arrays)` and `gradient(out_grad, node)`."""

import numpy as np


class Node:
    """A value in the graph, the operator that made it, and that operator's inputs."""

    def __init__(self, op, inputs, value):
        self.op, self.inputs, self.value = op, inputs, value

    @staticmethod
    def constant(value):
        return Node(None, (), np.asarray(value))


class Operator:
    def __call__(self, *inputs):
        return Node(self, inputs, self.compute(*[node.value for node in inputs]))


class Add(Operator):
    def compute(self, a, b):
        ### BEGIN SOLUTION
        return a + b
        ### END SOLUTION

    def gradient(self, out_grad, node):
        ### BEGIN SOLUTION
        return out_grad, out_grad
        ### END SOLUTION


class Mul(Operator):
    def compute(self, a, b):
        ### BEGIN SOLUTION
        return a * b
        ### END SOLUTION

    def gradient(self, out_grad, node):
        ### BEGIN SOLUTION
        a, b = node.inputs
        return Mul()(out_grad, b), Mul()(out_grad, a)
        ### END SOLUTION


class Exp(Operator):
    def compute(self, x):
        ### BEGIN SOLUTION
        return np.exp(x)
        ### END SOLUTION

    def gradient(self, out_grad, node):
        ### BEGIN SOLUTION
        return Mul()(out_grad, node)
        ### END SOLUTION


class Transpose(Operator):
    def compute(self, x):
        ### BEGIN SOLUTION
        return x.T
        ### END SOLUTION

    def gradient(self, out_grad, node):
        ### BEGIN SOLUTION
        return Transpose()(out_grad)
        ### END SOLUTION


class MatMul(Operator):
    def compute(self, a, b):
        ### BEGIN SOLUTION
        return a @ b
        ### END SOLUTION

    def gradient(self, out_grad, node):
        ### BEGIN SOLUTION
        a, b = node.inputs
        return MatMul()(out_grad, Transpose()(b)), MatMul()(Transpose()(a), out_grad)
        ### END SOLUTION


class Sum(Operator):
    def __init__(self, axis=None, keepdims=False):
        self.axis, self.keepdims = axis, keepdims

    def compute(self, x):
        ### BEGIN SOLUTION
        return x.sum(axis=self.axis, keepdims=self.keepdims)
        ### END SOLUTION

    def gradient(self, out_grad, node):
        ### BEGIN SOLUTION
        x = node.inputs[0].value
        g = out_grad.value
        if self.axis is not None and not self.keepdims:
            g = np.expand_dims(g, self.axis)
        return Node.constant(np.ones(x.shape) * g)
        ### END SOLUTION


def gradients(output, nodes):
    """The gradients of an output with respect to some nodes, as nodes."""
    ### BEGIN SOLUTION
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((one, False) for one in node.inputs)
    sent = {id(output): Node.constant(np.ones(np.shape(output.value)))}
    for node in reversed(order):
        if node.op is None or id(node) not in sent:
            continue
        found = node.op.gradient(sent[id(node)], node)
        for one, gradient in zip(node.inputs, found if isinstance(found, tuple) else (found,)):
            sent[id(one)] = Add()(sent[id(one)], gradient) if id(one) in sent else gradient
    return [sent.get(id(node), Node.constant(np.zeros(np.shape(node.value)))) for node in nodes]
    ### END SOLUTION
