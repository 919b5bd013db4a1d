-- Several web servers may see one messenger: each keeps its own word, so the column holds a list.
update components set messenger = json_array(json(messenger)) where messenger is not null;
