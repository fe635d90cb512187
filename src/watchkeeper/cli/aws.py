"""`watchkeeper aws`."""

from __future__ import annotations

from watchkeeper.cli.by_name import ByName, Named

aws = ByName(
    "aws",
    "Put the project on AWS, look after it there, and take it away.",
    {
        "plan": Named("watchkeeper.cli.aws_plan:plan", "Say what would change, what it needs and costs."),
        "deploy": Named("watchkeeper.cli.aws_deploy:deploy_", "Make or change the stacks, in stages."),
        "status": Named(
            "watchkeeper.cli.aws_status:status", "Say whether what is deployed is what was approved."
        ),
        "validate": Named(
            "watchkeeper.cli.aws_validate:validate_",
            "Send traffic, wait for captures, judge, follow a test alert.",
        ),
        "migrate": Named(
            "watchkeeper.cli.aws_migrate:migrate_",
            "Make a project from what Model Monitor has of an endpoint.",
        ),
        "destroy": Named("watchkeeper.cli.aws_destroy:destroy_", "Take the stacks away; records stay."),
        "images": Named("watchkeeper.cli.aws_images:images", "Build our images, and push them by digest."),
        "pipeline": Named(
            "watchkeeper.cli.aws_pipeline:pipeline", "Print the training pipeline's definition."
        ),
        "job": Named("watchkeeper.cli.aws_job:job", "Be a step of the training pipeline, in its container."),
    },
)
