# pip: peft transformers tokenizers huggingface-hub safetensors regex pyyaml requests filelock packaging tqdm httpx httpcore h11 anyio idna certifi typer shellingham rich hf-xet fsspec click urllib3 charset_normalizer typing_extensions httpx2 httpcore2 truststore accelerate psutil
"""A language model fine-tuned by low-rank adapters, which are merged into its weights afterwards."""

import torch
import transformers
from peft import LoraConfig, get_peft_model

transformers.logging.set_verbosity_error()
torch.manual_seed(0)
config = transformers.LlamaConfig(
    vocab_size=64,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    num_key_value_heads=2,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
adapters = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM", lora_dropout=0.0)
model = get_peft_model(transformers.LlamaForCausalLM(config), adapters)
model.print_trainable_parameters()
tokens = torch.randint(3, 64, (4, 16))
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
for _ in range(5):
    loss = model(input_ids=tokens, labels=tokens).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item())
merged = model.merge_and_unload()
print(merged(input_ids=tokens, labels=tokens).loss.item())
