# pip: timm torchvision==0.28.0 pillow huggingface-hub safetensors pyyaml requests filelock packaging tqdm httpx httpcore h11 anyio idna certifi typer shellingham rich hf-xet fsspec click urllib3 charset_normalizer typing_extensions httpx2 httpcore2 truststore
"""Image models of timm, its optimizers, schedules and mixtures of images."""

import numpy as np
import timm
import torch
from timm.data import Mixup
from timm.loss import SoftTargetCrossEntropy
from timm.optim import create_optimizer_v2
from timm.scheduler import create_scheduler_v2

np.random.seed(0)
for name in ("resnet10t", "vit_tiny_patch16_224", "convnext_atto", "efficientnet_b0", "mixer_s32_224"):
    torch.manual_seed(0)
    net = timm.create_model(name, num_classes=5)
    optimizer = create_optimizer_v2(net, opt="lamb", lr=1e-3)
    scheduler, _ = create_scheduler_v2(optimizer, sched="cosine", num_epochs=4, warmup_epochs=1)
    mix = Mixup(mixup_alpha=0.8, cutmix_alpha=1.0, num_classes=5)
    for epoch in range(2):
        pixels, labels = mix(torch.randn(4, 3, 224, 224), torch.tensor([0, 1, 2, 3]))
        loss = SoftTargetCrossEntropy()(net(pixels), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step(epoch + 1)
        print(name, round(loss.item(), 3))
    net.eval()
    print(sum(p.numel() for p in net.parameters()), len(net.state_dict()))
