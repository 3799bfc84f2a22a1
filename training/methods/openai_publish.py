"""A trained model's id becomes a published version, which the bot finds like any other.

There are no files to it: the version says which id to ask for at which address. It knows runs and manifests.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from bot.models import catalogue
from bot.models.manifest import Base, Data, Manifest, Prompt, Training
from bot.sections import Gates
from training.evaluate import gates
from training.methods.openai_run import FineTuningError, Run


def publish(run: Run, models: Path, gate: Gates = Gates()) -> None:  # noqa: B008 - frozen
    """Publish the run's model under its name, the run's id being the version; doing it again changes nothing.

    It goes live at once if the gate lets it, but not on Azure, where somebody has to deploy it first. Raise
    `ArtifactError`.
    """
    settings = run.settings
    endpoint = settings.endpoint
    if run.fine_tuned_model is None:
        raise FineTuningError(f"{run.id}: has no trained model to publish")
    promote = endpoint.provider != "azure"
    if run.id in catalogue.versions(models, settings.name):
        # A crash came between publishing and writing it down.
        if promote and not catalogue.held_back(models, settings.name, run.id):
            catalogue.use(models, settings.name, run.id)
        return
    gates.publish(
        models,
        Manifest(
            name=settings.name,
            version=run.id,
            kind="openai",
            base=Base(id=run.fine_tuned_model, endpoint=endpoint.base_url),
            prompt=Prompt(version=run.data.prompt_version),
            data=Data(
                sha256=run.data.sha256,
                dialogues=run.data.dialogues,
                split={"training_rows": run.data.training_rows, "validation_rows": run.data.validation_rows},
                generation=run.data.generation,
                lineage=run.data.lineage,
            ),
            training=Training(
                method="openai",
                settings={
                    "model": settings.model,
                    "epochs": settings.epochs,
                    "provider": endpoint.provider,
                    "api_version": endpoint.api_version,
                    "key_variable": endpoint.key_variable,
                    "job": run.job,
                    "checkpoints": [each.model_dump() for each in run.checkpoints],
                },
                seed=settings.seed,
                seconds=(run.finished_at - run.created_at).total_seconds() if run.finished_at else None,
                tokens=run.trained_tokens,
                cost_usd=run.cost_usd,
                packages={"openai": importlib.metadata.version("openai")},
            ),
            evaluation={"train_loss": run.train_loss, "valid_loss": run.valid_loss},
        ),
        {},
        promote=promote,
        gates=gate,
    )
