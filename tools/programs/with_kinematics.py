# pip: pytorch-kinematics arm-pytorch-utilities pytorch-seed lxml pyyaml
"""A robot arm: where its tip is, how that changes with the joints, and gradients."""

import pytorch_kinematics as pk
import torch

JOINT = '<joint name="j{0}" type="revolute"><parent link="l{0}"/><child link="l{1}"/><origin xyz="{2}"/><axis xyz="{3}"/></joint>'
links = "".join(f'<link name="l{i}"/>' for i in range(4))
joints = "".join(
    JOINT.format(i, i + 1, *at) for i, at in enumerate([("0 0 1", "0 0 1"), ("1 0 0", "0 1 0"), ("0.5 0 0", "1 0 0")])
)
chain = pk.build_serial_chain_from_urdf(f'<robot name="arm">{links}{joints}</robot>', "l3")
angles = torch.tensor([[0.1, 0.2, 0.3], [-0.5, 1.0, 0.2]], requires_grad=True)
tip = chain.forward_kinematics(angles).get_matrix()
tip[:, :3, 3].sum().backward()
print(tip.tolist(), angles.grad.tolist())
print(chain.jacobian(angles.detach()).tolist())
print(pk.matrix_to_quaternion(tip[:, :3, :3]).tolist(), pk.matrix_to_euler_angles(tip[:, :3, :3], "XYZ").tolist())
