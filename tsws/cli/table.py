"""Every command of tsws and what ``tsws --help`` says of it.

A table, not imports: help must not pay for what it only names. A test holds it against the commands themselves.
"""

SECTIONS: dict[str, dict[str, str]] = {
    "Make it so": {
        "init": "Make a workspace from a template.",
        "validate": "Check the manifest and list every mistake in it.",
        "plan": "Show what apply would do, and why.",
        "apply": "Make everything that the manifest declares and that is missing or stale.",
        "build": "Compile the program that plays models, for this machine.",
        "sync": "Bring files into step with volumes.",
        "cancel": "Stop a job in flight, after a checkpoint.",
    },
    "Use it": {
        "generate": "Tell a story with a trained or finished model.",
        "export": "Write a model in another format, such as int8.",
        "status": "Show how everything is.",
        "runs": "List every version of every run, with its loss.",
        "logs": "Show what a run said, or follow what it says.",
        "show": "Show everything known about one resource.",
        "eval": "Say how good a model is: loss, perplexity, bits a byte, and what its stories are like.",
        "report": "Write a page with the curves, stories and settings of runs.",
        "plot": "Draw the loss curves of runs into a picture.",
        "compare": "Compare two runs: settings, losses at equal steps, tokens and times, stories.",
        "graph": "Show what depends on what.",
    },
    "Keep house": {
        "clean": "Remove intermediates that can be made again.",
        "gc": "Remove old versions of runs, and what is no longer declared.",
        "plugins": "List the plugins and what each adds.",
        "schema": "Print the JSON schema of the manifest, for editors.",
        "doctor": "Check that this machine and this workspace are in order.",
        "completion": "Print the completion script of a shell.",
    },
}
"""Commands with their one line, as help groups them. A command lives in the module of its name."""

COMMANDS: dict[str, str] = {name: line for section in SECTIONS.values() for name, line in section.items()}
"""The same without the groups."""
