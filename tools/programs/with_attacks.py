# pip: torchattacks requests urllib3 charset-normalizer idna certifi foolbox eagerpy GitPython gitdb smmap
"""Adversarial examples for a small classifier."""

import foolbox
import torch
import torchattacks

torch.manual_seed(0)
net = torch.nn.Sequential(
    torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 4)
).eval()
images = torch.rand(4, 3, 8, 8)
labels = net(images).argmax(1)
for attack in (torchattacks.FGSM(net, eps=0.1), torchattacks.PGD(net, eps=0.1, steps=5, random_start=False)):
    worse = attack(images, labels)
    print((worse - images).abs().max().item(), net(worse).argmax(1).tolist())
model = foolbox.PyTorchModel(net, bounds=(0, 1))
_, clipped, success = foolbox.attacks.LinfBasicIterativeAttack(steps=5)(model, images, labels, epsilons=[0.05, 0.2])
print(success.tolist(), [c.sum().item() for c in clipped], foolbox.utils.accuracy(model, images, labels))
