# pip: torchvision==0.28.0 pillow
"""Classifiers, a detector and augmentations of images by torchvision."""

import torch
from torchvision import datasets, models, ops, transforms
from torchvision.transforms import v2

torch.manual_seed(0)
prepare = transforms.Compose(
    [
        transforms.RandomResizedCrop(48),
        transforms.ColorJitter(0.4, 0.4),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.5] * 3),
    ]
)
images = datasets.FakeData(32, (3, 64, 64), num_classes=10, transform=prepare)
loader = torch.utils.data.DataLoader(images, batch_size=16)
for name in ("resnet18", "mobilenet_v3_small"):
    torch.manual_seed(0)
    net = models.get_model(name, num_classes=10)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    for pixels, labels in loader:
        loss = torch.nn.functional.cross_entropy(net(pixels), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(name, loss.item())

torch.manual_seed(0)
detector = models.detection.fasterrcnn_mobilenet_v3_large_320_fpn(weights=None, weights_backbone=None, num_classes=3)
target = {"boxes": torch.tensor([[10.0, 10.0, 50.0, 60.0]]), "labels": torch.tensor([1])}
losses = detector([torch.rand(3, 90, 100)], [target])
sum(losses.values()).backward()
print({name: round(value.item(), 4) for name, value in losses.items()})

boxes = torch.rand(50, 4).cumsum(1)
print(ops.nms(boxes, torch.rand(50), 0.3), ops.box_iou(boxes[:2], boxes[:3]))
picture = (torch.rand(3, 40, 60) * 255).to(torch.uint8)
print(v2.Resize((20, 31), antialias=True)(picture).float().mean(), v2.RandomRotation(30)(picture).float().mean())
