import typer

editors = typer.Typer(no_args_is_help=True)
tokens = typer.Typer(no_args_is_help=True)
