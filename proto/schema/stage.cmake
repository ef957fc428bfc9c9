hanse_protobuf(hs_schema
  schema/object.proto schema/identity.proto schema/room.proto schema/deal.proto schema/link.proto)
