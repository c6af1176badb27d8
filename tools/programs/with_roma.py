# pip: roma
"""Rotations as quaternions, matrices and vectors, and the nearest rotation to a matrix."""

import roma
import torch

torch.manual_seed(0)
turns = roma.random_unitquat(4)
matrices = roma.unitquat_to_rotmat(turns)
print(roma.rotmat_to_rotvec(matrices).tolist(), roma.rotmat_to_euler("xyz", matrices, degrees=True).tolist())
print(roma.unitquat_slerp(turns[0], turns[1], torch.linspace(0, 1, 3)).tolist())
any_matrix = torch.randn(4, 3, 3, requires_grad=True)
roma.procrustes(any_matrix)[0][:, 0].sum().backward()
print(any_matrix.grad.sum().item(), roma.special_gramschmidt(any_matrix).sum().item())
motion = roma.Rigid(matrices, torch.randn(4, 3))
print((motion @ motion.inverse()).linear.sum().item(), motion.apply(torch.ones(4, 3)).tolist())
