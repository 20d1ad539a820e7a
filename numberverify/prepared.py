"""Statements that are written once and asked many times.

Django writes the SQL of a query anew whenever it is asked, which takes several times as
long as asking it. Here a query is declared with gaps; the ORM writes its SQL at the
first use, and after that only the gaps are filled in, by their fields as always:

    live = Select(Pending, lambda gap: Pending.objects.filter(pk=gap("id")))
    live.first(id=journey)

No signals are sent, and a `Delete` deletes nothing that depends on its rows.
docs/decisions/0031-speed.md says what it saves, and when to use it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

from django.db import connections, router, transaction
from django.db.models import (
    BooleanField,
    CharField,
    Expression,
    Field,
    IntegerField,
    Model,
    QuerySet,
)
from django.db.models.expressions import DatabaseDefault
from django.db.models.query import get_related_populators
from django.db.models.sql import DeleteQuery, UpdateQuery

M = TypeVar("M", bound=Model)
# Makes a gap of its name and, where they differ, of the name of the model's field that
# its value is for.
MakeGap = Callable[..., "Gap"]


class Gap(Expression):
    """Where a value goes that is known only when the statement is asked."""

    def __init__(self, name: str, field: "Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return "%s", [self]


class _Written:
    """The SQL for one database, and how its gaps are filled."""

    def __init__(self, sql: str, parameters: Sequence[Any]) -> None:
        self.sql = sql
        self.fixed = list(parameters)
        self.gaps = [
            (place, gap.name, gap.output_field)
            for place, gap in enumerate(parameters)
            if isinstance(gap, Gap)
        ]

    def ask(self, connection: Any, values: dict[str, Any]) -> Any:
        parameters = self.fixed.copy()
        for place, name, field in self.gaps:
            parameters[place] = field.get_db_prep_value(values[name], connection)
        cursor = _cursor(connection)
        cursor.execute(self.sql, parameters)
        return cursor


def _cursor(connection: Any) -> Any:
    """One that lets the server keep the statement, where the backend has such a one."""
    return getattr(connection, "keeping_cursor", connection.cursor)()


class _Reader:
    """Makes objects, and those that they are joined with, of what was selected."""

    def __init__(self, query: QuerySet[Any], alias: str) -> None:
        compiler: Any = query.query.get_compiler(using=alias)
        self.sql, self.parameters = compiler.as_sql()
        about, selected = compiler.klass_info, compiler.select
        columns = [column for column, _, _ in selected]
        first, *_, last = about["select_fields"]
        self.own = slice(first, last + 1)
        self.model = about["model"]
        self.names = [each[0].target.attname for each in selected[self.own]]
        self.returning = ", ".join(compiler.compile(each)[0] for each in columns)
        self.converters = compiler.get_converters(columns)
        populators: Any = get_related_populators
        self.joined = populators(about, selected, alias)

    def read(self, row: Sequence[Any], connection: Any) -> Any:
        values = list(row)
        for place, (converters, column) in self.converters.items():
            for convert in converters:
                values[place] = convert(values[place], column, connection)
        found = self.model.from_db(connection.alias, self.names, values[self.own])
        for each in self.joined:
            each.populate(values, found)
        return found


class _Statement(Generic[M]):
    def __init__(self, model: type[M], make: Callable[[MakeGap], QuerySet[M]]) -> None:
        self.model, self.make = model, make
        self.written: dict[tuple[str, str], Any] = {}

    def gap(self, name: str, field: str = "") -> Gap:
        found: Any = self.model._meta.get_field(field or name)
        return Gap(name, found)

    def _on(self, alias: str) -> tuple[Any, Any]:
        """Return the connection, and what was written for its kind of database."""
        connection = connections[alias]
        key = (alias, connection.vendor)
        if key not in self.written:
            self.written[key] = self._write(alias)
        return connection, self.written[key]

    def _write(self, alias: str) -> Any:
        raise NotImplementedError


class Select(_Statement[M]):
    """Declare it with the order and the limit that it is to have."""

    def all(self, **values: Any) -> list[M]:
        connection, (written, reader) = self._on(router.db_for_read(self.model))
        with written.ask(connection, values) as cursor:
            return [reader.read(row, connection) for row in cursor.fetchall()]

    def first(self, **values: Any) -> M | None:
        return next(iter(self.all(**values)), None)

    def _write(self, alias: str) -> Any:
        reader = _Reader(self.make(self.gap), alias)
        return _Written(reader.sql, reader.parameters), reader


class Update(_Statement[M]):
    """`columns` makes what is written, as `update()` takes it; one with `returning` is
    asked by `one`, any other by `ask`."""

    def __init__(
        self,
        model: type[M],
        make: Callable[[MakeGap], QuerySet[M]],
        columns: Callable[[MakeGap], dict[str, Any]],
        *,
        returning: Sequence[str] = (),
    ) -> None:
        super().__init__(model, make)
        self.columns, self.returning = columns, returning

    def ask(self, **values: Any) -> int:
        """Return how many rows were changed."""
        connection, (written, _) = self._on(router.db_for_write(self.model))
        return _changed(written, connection, values)

    def one(self, **values: Any) -> M | None:
        """Return the row that was changed, with the columns named in `returning`."""
        connection, (written, reader) = self._on(router.db_for_write(self.model))
        with (
            transaction.mark_for_rollback_on_error(connection.alias),
            written.ask(connection, values) as cursor,
        ):
            row = cursor.fetchone()
        return reader.read(row, connection) if row else None

    def _write(self, alias: str) -> Any:
        query: Any = self.make(self.gap).query.chain(UpdateQuery)
        query.add_update_values(self.columns(self.gap))
        sql, parameters = query.get_compiler(alias).as_sql()
        reader = None
        if self.returning:
            kept: QuerySet[M] = self.model._default_manager.only(*self.returning)
            reader = _Reader(kept, alias)
            sql = f"{sql} RETURNING {reader.returning}"
        return _Written(sql, parameters), reader


class Delete(_Statement[M]):
    def ask(self, **values: Any) -> int:
        """Return how many rows were deleted."""
        connection, written = self._on(router.db_for_write(self.model))
        return _changed(written, connection, values)

    def _write(self, alias: str) -> Any:
        query: Any = self.make(self.gap).query.clone()
        query.__class__ = DeleteQuery
        return _Written(*query.get_compiler(alias).as_sql())


def _changed(written: _Written, connection: Any, values: dict[str, Any]) -> int:
    with (
        transaction.mark_for_rollback_on_error(connection.alias),
        written.ask(connection, values) as cursor,
    ):
        return int(cursor.rowcount)


# Values that go into such columns as they are, and how an empty one is written.
PLAIN: dict[type, Any] = {str: CharField, bool: BooleanField, int: IntegerField}
EMPTY = {str: "''", bool: "FALSE", int: "0"}


def insert(row: Model) -> None:
    """Write a new row that has its key already: `save(force_insert=True)`.

    What is empty stands in the statement itself, of which there is one for each
    pattern of it: most columns of a new row are empty, and each value costs. A column
    that is left to the database (`db_default`) is no part of it.
    """
    model = type(row)
    connection = connections[router.db_for_write(model, instance=row)]
    places, values, left_out = [], [], []
    for field, name, plain in _columns(model):
        value = getattr(row, name) if name else field.pre_save(row, True)
        if isinstance(value, DatabaseDefault):
            left_out.append(field.attname)
            places.append("")
            continue
        is_plain = type(value) in plain
        if value is None:
            places.append("NULL")
        elif is_plain and not value:
            places.append(EMPTY[type(value)])
        else:
            places.append("%s")
            values.append(
                value if is_plain else field.get_db_prep_save(value, connection)
            )
    with (
        transaction.mark_for_rollback_on_error(connection.alias),
        _cursor(connection) as cursor,
    ):
        cursor.execute(_insert(model, connection.alias, tuple(places)), values)
    row._state.adding, row._state.db = False, connection.alias
    for name in left_out:
        del row.__dict__[name]  # who reads it asks what the database has made of it


@lru_cache(maxsize=64)
def _columns(model: type[Model]) -> list[tuple[Any, str, tuple[type, ...]]]:
    """Of each field what holds its value, "" where it makes one itself (`pre_save`),
    and which types go in as they are."""
    fields: list[Any] = list(model._meta.local_concrete_fields)
    return [
        (
            field,
            field.attname if type(field).pre_save is Field.pre_save else "",
            tuple(kind for kind, of in PLAIN.items() if isinstance(field, of)),
        )
        for field in fields
    ]


@lru_cache(maxsize=512)
def _insert(model: type[Model], alias: str, places: tuple[str, ...]) -> str:
    quote = connections[alias].ops.quote_name
    fields: list[Any] = list(model._meta.local_concrete_fields)
    columns = [
        quote(field.column)
        for field, place in zip(fields, places, strict=True)
        if place
    ]
    table, listed = quote(model._meta.db_table), ", ".join(columns)
    given = ", ".join(filter(None, places))
    return f"INSERT INTO {table} ({listed}) VALUES ({given})"  # noqa: S608
