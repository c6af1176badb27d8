# pip: transformers tokenizers huggingface-hub safetensors regex pyyaml requests filelock packaging tqdm httpx httpcore h11 anyio idna certifi typer shellingham rich hf-xet fsspec click urllib3 charset_normalizer typing_extensions httpx2 httpcore2 truststore accelerate psutil
"""Hugging Face's transformers: language models, classifiers and their Trainer, saved and loaded."""

import logging
import tempfile

import torch
import transformers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
)

transformers.logging.set_verbosity_error()
logging.disable(logging.WARNING)
torch.manual_seed(0)
words = 64
tokens = torch.randint(3, words, (4, 16))
common = {
    "vocab_size": words,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
special = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}

# Five steps of each.
for model, labels in (
    (GPT2LMHeadModel(GPT2Config(vocab_size=words, n_positions=32, n_embd=32, n_layer=2, n_head=2, **special)), tokens),
    (LlamaForCausalLM(LlamaConfig(num_key_value_heads=2, **common, **special)), tokens),
    (BertForSequenceClassification(BertConfig(num_labels=3, **common)), torch.arange(4) % 3),
    (
        T5ForConditionalGeneration(
            T5Config(vocab_size=words, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, decoder_start_token_id=0)
        ),
        tokens,
    ),
):
    model.eval()  # without dropout
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(5):
        loss = model(input_ids=tokens, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(type(model).__name__, loss.item())

llama = LlamaForCausalLM(LlamaConfig(num_key_value_heads=2, **common, **special)).eval()
print(llama.generate(tokens[:2, :4], max_new_tokens=6, do_sample=False).tolist())
print(llama.generate(tokens[:2, :4], max_new_tokens=6, num_beams=3).tolist())
torch.manual_seed(1)
print(llama.generate(tokens[:2, :4], max_new_tokens=6, do_sample=True, top_k=5, temperature=0.7).tolist())

with tempfile.TemporaryDirectory() as folder:
    llama.save_pretrained(folder)
    again = LlamaForCausalLM.from_pretrained(folder).eval()
    print(torch.equal(llama(tokens).logits, again(tokens).logits))

    data = [{"input_ids": tokens[i % 4], "labels": tokens[i % 4]} for i in range(16)]
    arguments = TrainingArguments(
        output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, report_to=[], disable_tqdm=True
    )
    trainer = Trainer(model=again, args=arguments, train_dataset=data)
    trainer.remove_callback(transformers.PrinterCallback)  # which prints times
    done = trainer.train()
    print(done.global_step, done.training_loss)
