"""`define.xml` 2.1 of the datasets, made from the same definitions as their files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from zoom_imaging import __version__
from zoom_imaging.adam.datasets import DATASETS
from zoom_imaging.adam.variable import Dataset, Kind, Origin, Variable

LANGUAGE = "en"
_TYPES = {
    Kind.TEXT: "text",
    Kind.INTEGER: "integer",
    Kind.FLOAT: "float",
    Kind.DATE: "date",
}
_SOURCES = {Origin.COLLECTED: "Vendor", Origin.DERIVED: "Sponsor", Origin.ASSIGNED: "Sponsor"}
_COMMENT = (
    "Values of the imaging core before reading by radiologists are provisional (ADSL.STATUS). "
    "Rules, and values that the trial has not confirmed, stand in the charter and in run.json."
)


def define_xml(study: str, as_of: date) -> str:
    """The whole document; the same arguments give the same text.

    `as_of` is the day of the newest examination: the document must not differ between two runs.
    """
    from odmlib.define_2_1 import model

    version = model.MetaDataVersion(
        OID=f"MDV.{study}",
        Name=f"{study} ADaM",
        Description=f"Analysis datasets of {study}, zoom_imaging {__version__}",
        DefineVersion="2.1.0",
        CommentOID="COM.MDV",
    )
    version.Standards = model.Standards(
        Standard=[
            model.Standard(OID="STD.1", Name="ADaMIG", Type="IG", Version="1.3", Status="Final")
        ]
    )
    for dataset in DATASETS:
        version.ItemGroupDef.append(_group(dataset))
        version.ItemDef.extend(_item(dataset, variable) for variable in dataset.variables)
        version.CodeList.extend(_code_lists(dataset))
        version.MethodDef.extend(_methods(dataset))
    version.CommentDef.append(model.CommentDef(OID="COM.MDV", Description=_described(_COMMENT)))
    root = model.ODM(
        FileType="Snapshot",
        FileOID=f"{study}.define",
        CreationDateTime=f"{as_of.isoformat()}T00:00:00",
        AsOfDateTime=f"{as_of.isoformat()}T00:00:00",
        ODMVersion="1.3.2",
        Originator="zoom_imaging",
        SourceSystem="zoom_imaging",
        SourceSystemVersion=__version__,
        Context="Other",
        Study=model.Study(
            OID=f"STDY.{study}",
            GlobalVariables=model.GlobalVariables(
                StudyName=model.StudyName(_content=study),
                StudyDescription=model.StudyDescription(_content=f"Imaging endpoints of {study}"),
                ProtocolName=model.ProtocolName(_content=study),
            ),
            MetaDataVersion=version,
        ),
    )
    return str(root.to_xml_string(xml_declaration=True))


def _described(text: str) -> Any:
    from odmlib.define_2_1 import model

    return model.Description(TranslatedText=[model.TranslatedText(lang=LANGUAGE, _content=text)])


def _oid(dataset: Dataset, variable: Variable) -> str:
    return f"{dataset.name}.{variable.name}"


def _group(dataset: Dataset) -> Any:
    from odmlib.define_2_1 import model

    group = model.ItemGroupDef(
        OID=f"IG.{dataset.name}",
        Name=dataset.name,
        Repeating="No" if dataset.name == "ADSL" else "Yes",
        IsReferenceData="No",
        SASDatasetName=dataset.name,
        Purpose="Analysis",
        Structure=dataset.structure,
        ArchiveLocationID=f"LF.{dataset.name}",
        StandardOID="STD.1",
        Description=_described(dataset.label),
    )
    for number, variable in enumerate(dataset.variables, start=1):
        key = dataset.keys.index(variable.name) + 1 if variable.name in dataset.keys else None
        derived = variable.origin is Origin.DERIVED
        group.ItemRef.append(
            model.ItemRef(
                ItemOID=f"IT.{_oid(dataset, variable)}",
                OrderNumber=number,
                Mandatory="Yes" if variable.required else "No",
                **({"KeySequence": key} if key else {}),
                **({"MethodOID": f"MT.{_oid(dataset, variable)}"} if derived else {}),
            )
        )
    group.Class = model.Class(Name=dataset.class_name)
    group.leaf = model.leaf(
        ID=f"LF.{dataset.name}",
        href=f"{dataset.name.lower()}.xpt",
        title=model.title(_content=f"{dataset.name.lower()}.xpt"),
    )
    return group


def _item(dataset: Dataset, variable: Variable) -> Any:
    from odmlib.define_2_1 import model

    sized = variable.kind in {Kind.TEXT, Kind.INTEGER, Kind.FLOAT}
    item = model.ItemDef(
        OID=f"IT.{_oid(dataset, variable)}",
        Name=variable.name,
        DataType=_TYPES[variable.kind],
        **({"Length": variable.length} if sized else {}),
        **({"SignificantDigits": variable.decimals} if variable.kind is Kind.FLOAT else {}),
        **({"DisplayFormat": "E8601DA10."} if variable.kind is Kind.DATE else {}),
        SASFieldName=variable.name,
        Description=_described(variable.label),
    )
    if variable.codes:
        item.CodeListRef = model.CodeListRef(CodeListOID=f"CL.{_oid(dataset, variable)}")
    told = variable.origin is not Origin.DERIVED
    item.Origin.append(
        model.Origin(
            Type=variable.origin.value,
            Source=_SOURCES[variable.origin],
            **({"Description": _described(variable.method)} if told else {}),
        )
    )
    return item


def _code_lists(dataset: Dataset) -> Iterator[Any]:
    from odmlib.define_2_1 import model

    for variable in dataset.variables:
        if not variable.codes:
            continue
        yield model.CodeList(
            OID=f"CL.{_oid(dataset, variable)}",
            Name=f"{dataset.name} {variable.name}",
            DataType="text",
            IsNonStandard="Yes",
            CodeListItem=[
                model.CodeListItem(
                    CodedValue=value,
                    OrderNumber=number,
                    Decode=model.Decode(
                        TranslatedText=[model.TranslatedText(lang=LANGUAGE, _content=decode)]
                    ),
                )
                for number, (value, decode) in enumerate(variable.codes, start=1)
            ],
        )


def _methods(dataset: Dataset) -> Iterator[Any]:
    from odmlib.define_2_1 import model

    for variable in dataset.variables:
        if variable.origin is Origin.DERIVED:
            yield model.MethodDef(
                OID=f"MT.{_oid(dataset, variable)}",
                Name=f"Derivation of {dataset.name}.{variable.name}",
                Type="Computation",
                Description=_described(variable.method),
            )
