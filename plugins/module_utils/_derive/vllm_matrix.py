# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One matrix of a model, or several of the same size.

PRIVATE to the collection. Pure.

name   as in the checkpoint            layer  a number, or first, last
kind   linear, expert, head, plain     plain is never quantised: embeddings, norms, biases, gates, vision
split  what tensor parallelism does: heads, kv, wide (the MLP's width), vocab: each GPU has its part; copy: all of it
"""

from __future__ import annotations

import collections

Matrix = collections.namedtuple("Matrix", "name layer kind split count rows columns")


def vector(name, layer, length, split="copy"):
    """Norms and biases: of one row, never quantised."""
    return Matrix(name, layer, "plain", split, 1, 1, length)


def parameters(matrices):
    """How many numbers they hold."""
    return sum(one.count * one.rows * one.columns for one in matrices)
