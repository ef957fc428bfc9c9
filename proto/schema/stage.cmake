hanse_protobuf(hs_schema ${CMAKE_CURRENT_SOURCE_DIR}
  schema/object.proto schema/identity.proto schema/room.proto schema/deal.proto schema/link.proto)
