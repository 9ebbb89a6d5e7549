"""Where each setting comes from: an argument, the environment, the config file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flex_integration_sdk.errors import ConfigurationError
from flex_tokenstore import Secret
from flex_tokenstore.embedding import (
    HostProgram,
    OptionValues,
    complete_store_config,
    is_quoted,
    misspelt,
    strip_value,
)

from .config_file import (
    KEYS,
    SECRETS,
    ConfigFile,
    config_path,
    read_config,
)
from .given import Given
from .section import ARGUMENT, DEFAULT, Found, Section
from .table import PROFILES, VARIABLES
from .variables import CONFIG, PROFILE, Variables

_OF_A_CLIENT = (*SECRETS, "base_url", "allow_http")


class Layers:
    """Arguments, variables and sections of the config file, in this order. It shows no value.

    Args:
        given: The arguments.
        variables: The environment.
        program: It says where the config file is by default.
        strict: A profile that was named must be in the config file, if that has profiles.
        lenient: A client id that cannot be read does not raise; see ``client_id_problem``.

    Raises:
        ConfigurationError: The config file cannot be used, or does not have the profile.
    """

    def __init__(
        self,
        given: Given,
        variables: Variables,
        program: HostProgram,
        *,
        strict: bool = False,
        lenient: bool = False,
    ) -> None:
        self.given = given
        self.variables = variables
        self.program = program
        self.notes: list[str] = []
        """Warnings for the user; none shows a secret."""
        self.profile = self._profile()
        self.file = self._read(program)
        self.sections = self._sections()
        self._check_profile(strict=strict)
        for section in self.sections:
            self.notes += section.check()
        self.client_id_problem = ""
        self.client_id = self._client_id(lenient=lenient)
        self._is_another_client = False
        self._of_client = self._sections_of_client()
        self._note_other_server()
        self._note_replaced()

    def text(self, name: str) -> Found:
        """The value of a setting that is a string; "" if there is none.

        Raises:
            ConfigurationError: The argument is not a string, or another value is in quotes.
        """
        return self._first(name, self._of_client if name in _OF_A_CLIENT else self.sections)

    def secret_section(self) -> Section | None:
        """The section that says where the client secret comes from.

        A profile with a client id of its own does not inherit the secret of another client.
        """
        if self._is_another_client:
            return None
        for section in self._of_client:
            if any(section.get(name) for name in SECRETS):
                return section
            if section.get("client_id"):
                return None
        return None

    def switch(self, name: str, *, any_layer: bool = False) -> tuple[bool, str]:
        """Whether a switch is on, and where that is said.

        Args:
            name: Of the setting.
            any_layer: One layer is enough to switch it on.

        Raises:
            ConfigurationError: The argument or the variable is not a switch.
        """
        sections = self._of_client if name in _OF_A_CLIENT else self.sections
        found = []
        if (value := getattr(self.given, name)) is not None:
            if not isinstance(value, bool):
                raise ConfigurationError(f"{name} must be True or False, got {value!r:.40}")
            found.append((value, ARGUMENT))
        variable = VARIABLES[name]
        if self.variables.value(variable):  # a wrong one is an error, whatever decides
            found.append((self.variables.switch(variable), variable))
        found += [
            (bool(each.get(name)), each.origin(name))
            for each in sections
            if each.get(name) is not None
        ]
        if any_layer:
            found.sort(key=lambda each: not each[0])  # stable
        return next(iter(found), (False, DEFAULT))

    def store(self, variable: str, default: str) -> tuple[Any, str]:
        """The config of the token store, and where its name comes from.

        Args:
            variable: The one that contains the store's name.
            default: The name of the store if none is chosen.

        Raises:
            StoreOptionsError: The variables of the store contradict each other.
        """
        in_file = OptionValues()
        for section in reversed(self.sections):
            in_file = _over(self._store_of(section), in_file)
        found, notes = complete_store_config(
            self.given.token_store, variable, self.variables, in_file or None
        )
        self.notes += notes
        if found is None:
            return default, DEFAULT
        if self.given.token_store is not None:
            return found, ARGUMENT
        origin = getattr(found, "variables", {}).get("name") or variable
        return found, origin

    def _client_id(self, *, lenient: bool) -> Found:
        try:
            return self._first("client_id", self.sections)
        except ConfigurationError as error:
            if not lenient:
                raise
            self.client_id_problem = str(error)
            return Found(Secret(""), "client_id")

    def _profile(self) -> Found:
        value = self.given.profile
        if value is not None and not isinstance(value, str):
            raise ConfigurationError(f"profile must be a string, got {type(value).__name__}")
        if value and (text := strip_value(value)):
            found = Found(Secret(text), "profile", ARGUMENT)
        elif text := self.variables.value(PROFILE):
            found = Found(Secret(text), PROFILE, PROFILE)
        else:
            return Found(Secret(DEFAULT), "profile")
        if any(not letter.isprintable() for letter in found.value):
            raise ConfigurationError(
                f"{found.subject} contains a control character, or bytes that cannot be decoded; "
                "check that the locale is UTF-8"
            )
        return found

    def _read(self, program: HostProgram) -> ConfigFile:
        path, origin = config_path(self.given.config, CONFIG, self.variables.value(CONFIG), program)
        self.path, self.path_origin = path, origin
        file = read_config(path, must_exist=origin != DEFAULT)
        if file.problem:
            self.notes.append(f"the config file {path} {file.problem}. It is not used")
        return file

    def _sections(self) -> list[Section]:
        """What counts for the profile: its own section, and then what is for all profiles."""
        file, name = self.file, self.profile.value
        if file.path is None:
            return []
        own = [Section(file, (PROFILES, name))] if name in file.profiles else []
        return [*own, Section(file, ())]

    def _is_given(self, name: str) -> bool:
        """By an argument or a variable."""
        return bool(getattr(self.given, name)) or self._is_set(name)

    def _is_set(self, name: str) -> bool:
        """Its variable has a value. What is wrong with that is told where it is used."""
        return bool(strip_value(self.variables.get(VARIABLES[name]) or ""))

    def _check_profile(self, *, strict: bool) -> None:
        if not self.sections:
            return
        names, profile = self.file.profiles, self.profile
        if not names or profile.value in names:
            return
        if self._is_given("client_id") and not (strict and profile.origin != DEFAULT):
            return  # a program's own name for one of its tokens, with all that it needs
        known = ", ".join(map(repr, names))
        if profile.origin == DEFAULT:
            raise ConfigurationError(
                f"no profile was chosen, and {self.file.path} has none that is named 'default'. "
                f"It has {known}: pass profile=… or set {PROFILE}"
            )
        near = misspelt(profile.value.upper(), [each.upper() for each in names])
        meant = next((each for each in names if each.upper() == near), "")
        raise ConfigurationError(
            f"{self.file.path} has no profile {profile.value!r:.60}"
            + (f"; did you mean {meant!r}?" if meant else "")
            + f" It has {known}"
            + (f" ({PROFILE} chose it)" if profile.origin == PROFILE else "")
        )

    def _first(self, name: str, sections: list[Section]) -> Found:
        given = Secret(getattr(self.given, name))
        if given and not isinstance(given.reveal(), str):
            kind = type(given.reveal()).__name__
            raise ConfigurationError(f"{name} must be a string, got {kind}")
        if given and (value := Secret(strip_value(given.reveal()))):
            return Found(value, name, ARGUMENT)
        variable = VARIABLES[name]
        if value := Secret(self.variables.value(variable)):
            return Found(value, variable, variable)
        for section in sections:
            if value := Secret(strip_value(section.get(name) or "")):
                if is_quoted(value.reveal()):
                    raise ConfigurationError(
                        f"{section.subject(name)} has quotes within its quotes, which count as "
                        "part of it: write one pair"
                    )
                return Found(value, section.subject(name), section.origin(name))
        return Found(Secret(""), name)

    def _sections_of_client(self) -> list[Section]:
        """Those that say nothing about another client than the one in use.

        The secret of one client must not go out for another, nor to the server of another.
        """
        used, named = self.client_id, [each for each in self.sections if each.get("client_id")]
        other = next((each for each in named if self._is_of_another(each)), None)
        if other is None or used.origin in [each.origin("client_id") for each in named]:
            return self.sections
        self._is_another_client = True
        for section in self.sections:
            names = [] if any(self._is_given(name) for name in SECRETS[:2]) else [*SECRETS]
            if section is other:
                names += [name for name in ("base_url", "allow_http") if not self._is_given(name)]
            if unused := [name for name in names if section.get(name)]:
                self.notes.append(
                    f"{used.subject} is another client than that in {other.origin('client_id')}, "
                    f"so {' and '.join(unused)} of that file {'is' if len(unused) == 1 else 'are'} "
                    "not used"
                )
        return [each for each in self.sections if each is not other]

    def _is_of_another(self, section: Section) -> bool:
        own = strip_value(section.get("client_id") or "")
        return bool(own) and own != self.client_id.value

    def _note_other_server(self) -> None:
        """Says that the secret of the file goes to another server than that of the file."""
        section = self.secret_section()
        if section is None or any(self._is_given(name) for name in SECRETS[:2]):
            return
        by_argument = isinstance(self.given.base_url, str) and strip_value(self.given.base_url)
        used = Secret(by_argument or strip_value(self.variables.get(VARIABLES["base_url"], "")))
        own = next((each for each in self._of_client if each.get("base_url")), None)
        if used and own and Secret(own.get("base_url").rstrip("/")) != used:
            name = next(each for each in SECRETS if section.get(each))
            subject = "base_url" if by_argument else VARIABLES["base_url"]
            self.notes.append(
                f"{subject} is another server than that in {own.origin('base_url')}, and "
                f"{name} of that file counts there, too"
            )

    def _note_replaced(self) -> None:
        """Says which variables replace what a profile says that the user named."""
        if self.profile.origin == DEFAULT or not self.sections or not self.sections[0].path:
            return
        section = self.sections[0]
        for name in KEYS:
            if not section.get(name):
                continue
            names = SECRETS[:2] if name in SECRETS else (name,)
            if any(getattr(self.given, each) for each in names):
                continue
            for variable in (VARIABLES[each] for each in names if self._is_set(each)):
                self.notes.append(
                    f"{variable} is used in place of {section.subject(name)}; unset it to use the "
                    f"profile {self.profile.value!r}"
                )

    def _store_of(self, section: Section) -> OptionValues:
        """What a section says about the token store, with the origin of each option."""
        value = section.get("token_store")
        if value is None:
            return OptionValues()
        path = (*section.path, "token_store")
        if not isinstance(value, OptionValues):
            found = OptionValues(name=value)
            found.variables = {"name": self.file.origin(path)}
            return found
        return _with_origins(value, path, self.file.origin)


def _with_origins(
    table: OptionValues, path: tuple[str, ...], origin: Callable[[tuple[str, ...]], str]
) -> OptionValues:
    found = OptionValues(
        (
            key,
            _with_origins(value, (*path, key), origin)
            if isinstance(value, OptionValues)
            else value,
        )
        for key, value in table.items()
    )
    found.variables = {key: origin((*path, key)) for key in table}
    return found


def _over(first: OptionValues, second: OptionValues) -> OptionValues:
    """Both as one; the first one counts where both have an option of the same store."""
    if not first or not second:
        return first or second
    if "name" not in first and "name" in second:
        first = OptionValues({**first, "name": second["name"]})
        first.variables = {**first.variables, "name": second.variables["name"]}
    found, _ = complete_store_config(first, "", {}, second)
    return found if isinstance(found, OptionValues) else first
