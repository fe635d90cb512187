"""The model artefact: features, their encoder and a booster, as plain data in a folder."""
