# pip: sentence-transformers transformers tokenizers huggingface-hub safetensors regex pyyaml requests filelock packaging tqdm httpx httpcore h11 anyio idna certifi typer shellingham rich hf-xet fsspec click urllib3 charset_normalizer typing_extensions httpx2 httpcore2 truststore scikit-learn scipy joblib threadpoolctl
"""Sentences as vectors, by a transformer and its tokenizer."""

import pathlib
import tempfile

import torch
import transformers
from sentence_transformers import SentenceTransformer, util
from sentence_transformers.models import Pooling, Transformer

transformers.logging.set_verbosity_error()
words = "[PAD] [UNK] [CLS] [SEP] [MASK] the a cat dog runs sleeps fast slow".split()
with tempfile.TemporaryDirectory() as folder:
    vocabulary = pathlib.Path(folder, "vocab.txt")
    vocabulary.write_text("\n".join(words))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64
    )
    transformers.BertModel(config).save_pretrained(folder)
    transformers.BertTokenizerFast(vocab_file=str(vocabulary)).save_pretrained(folder)
    layers = Transformer(folder)
    model = SentenceTransformer(modules=[layers, Pooling(layers.get_word_embedding_dimension())], device="cpu")
vectors = model.encode(["the cat runs", "a dog sleeps", "the dog runs fast"], convert_to_tensor=True)
print(vectors.shape, util.cos_sim(vectors, vectors).tolist())
