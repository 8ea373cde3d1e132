"""Load reports as a backend writes them: by protobuf's own runtime (`xds.data.orca.v3`)."""

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

# Of the fields that are not read, one of each kind.
_FIELDS = {
    "cpu_utilization": (1, Field.TYPE_DOUBLE, Field.LABEL_OPTIONAL),
    "mem_utilization": (2, Field.TYPE_DOUBLE, Field.LABEL_OPTIONAL),
    "rps": (3, Field.TYPE_UINT64, Field.LABEL_OPTIONAL),
    "request_cost": (4, Field.TYPE_STRING, Field.LABEL_REPEATED),
    "rps_fractional": (6, Field.TYPE_DOUBLE, Field.LABEL_OPTIONAL),
    "eps": (7, Field.TYPE_DOUBLE, Field.LABEL_OPTIONAL),
    "application_utilization": (9, Field.TYPE_DOUBLE, Field.LABEL_OPTIONAL),
    "to_come": (100, Field.TYPE_FLOAT, Field.LABEL_OPTIONAL),
}


def _message():
    file = FileDescriptorProto(name="orca.proto", package="t", syntax="proto3")
    message = file.message_type.add(name="OrcaLoadReport")
    for name, (number, kind, label) in _FIELDS.items():
        message.field.add(name=name, number=number, type=kind, label=label)
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("t.OrcaLoadReport"))


OrcaLoadReport = _message()


def load_report(**fields):
    """Returns the bytes of a report."""
    return OrcaLoadReport(**fields).SerializeToString()
