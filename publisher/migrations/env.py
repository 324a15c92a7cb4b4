from alembic import context

from publisher.migrations.all_tables import metadata
from publisher.migrations.form import is_compared, written

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    compare_type=True,
    include_name=is_compared,
    render_item=written,
    # SQLite changes a column by making the table anew; the first migration changes none.
    render_as_batch=context.script.get_current_head() is not None,
)
with context.begin_transaction():
    context.run_migrations()
