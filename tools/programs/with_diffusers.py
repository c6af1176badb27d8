# pip: diffusers importlib_metadata zipp pillow transformers tokenizers huggingface-hub safetensors regex pyyaml requests filelock packaging tqdm httpx httpcore h11 anyio idna certifi typer shellingham rich hf-xet fsspec click urllib3 charset_normalizer typing_extensions httpx2 httpcore2 truststore peft accelerate psutil
"""A small U-Net that learns to remove noise, and the pictures that it draws."""

import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel

torch.manual_seed(0)
net = UNet2DModel(
    sample_size=8,
    in_channels=1,
    out_channels=1,
    layers_per_block=1,
    block_out_channels=(8, 16),
    norm_num_groups=4,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    attention_head_dim=4,
)
schedule = DDPMScheduler(num_train_timesteps=50)
images = torch.randn(4, 1, 8, 8)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
for _ in range(5):
    noise, times = torch.randn_like(images), torch.randint(0, 50, (4,))
    loss = (net(schedule.add_noise(images, noise, times), times).sample - noise).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
sampler = DDIMScheduler(num_train_timesteps=50)
sampler.set_timesteps(5)
picture = torch.randn(1, 1, 8, 8)
with torch.no_grad():
    for time in sampler.timesteps:
        picture = sampler.step(net(picture, time).sample, time, picture).prev_sample
print(picture.abs().sum().item())
