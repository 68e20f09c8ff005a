"""Results as JUnit XML, which every build server reads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from riskguard.errors import rendered, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskguard.cli.test import Tested

__all__ = ["junit_xml"]


def junit_xml(tested: Sequence[Tested]) -> str:
    """Return one suite a test file and one case a case; errors of a file are one error."""
    root = ET.Element("testsuites", name="riskguard")
    for one in tested:
        failures = sum(bool(result.failures) for result in one.results)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=visible(one.path),
            tests=str(len(one.results) or 1),
            failures=str(failures),
            errors=str(int(one.cases is None)),
        )
        if one.cases is None:
            case = ET.SubElement(suite, "testcase", name="reading", classname=one.path)
            text = "\n\n".join(rendered(one.found))
            ET.SubElement(case, "error", message="errors in the file").text = text
        for result in one.results:
            case = ET.SubElement(
                suite,
                "testcase",
                name=visible(result.case.name),
                classname=visible(one.path),
                file=visible(one.path),
                line=str(result.case.span.line),
            )
            for fail in result.failures:
                told = ET.SubElement(case, "failure", message=visible(fail.message))
                told.text = f"line {fail.expectation.span.line}: {fail.expectation.text}"
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"
